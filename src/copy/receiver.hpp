#pragma once

#include <string>

#include "base/result.hpp"
#include "copy/anchor.hpp"

namespace sbx::copy {

struct ReceiveOptions {
  /// The archive is somebody's, and goes into a directory that is there. Else it has what send_path() writes, and where that goes
  /// follows docker's rules for `cp`.
  bool into_directory = false;
  bool owners = false;  // as the archive has them, where they may be given; else the process' own
  bool xattrs = false;  // where the file system takes them
  bool special =
      false;  // devices, set-user-id and set-group-id; else devices are left out with a warning, the bits without one
};

/// Makes files of a tar that comes by `fd`, uncompressed, at `path`. Nothing is made outside of that place: no symlink is followed below
/// it, and a member with ".." or an absolute name is an error. Files that are there are replaced, directories are merged; a
/// directory is never replaced by what is none, nor the other way round. What a mount holds in place is written over.
/// Reads to the end of `fd` unless it fails. Memory: one entry and one path.
Result<void> receive(int fd, const Anchor& anchor, const std::string& path,
                     const ReceiveOptions& options);

}  // namespace sbx::copy
