#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "copy/anchor.hpp"
#include "layer/tar_writer.hpp"

namespace sbx::copy {

/// What goes into an archive of files.
struct SendOptions {
  bool follow = false;  // a symlink that is named itself: what it leads to
  bool xattrs = false;  // user.*, and what stands for rights
  bool bare = false;    // the contents of a directory without "./" in front, and without itself
  /// Directories of which nothing is taken when they are met on the way.
  std::vector<std::pair<dev_t, ino_t>> left_out;
};

/// What `path` names, with all below it, as members "NAME", "NAME/…", where NAME is its base_name(); "." and "./…" for the contents of
/// a directory. Sorted, each directory before what is in it; further names of a file as hard links. What no tar can hold (sockets) is
/// left out with a warning. A file that got shorter meanwhile is filled up with zeros, with a warning.
/// Does not end the archive. Memory grows with the longest directories on one path and with the number of hard-linked files.
Result<void> send_path(const Anchor& anchor, const std::string& path, const SendOptions& options,
                       layer::TarWriter& archive);

/// One file of the directory `dir` at a time, under any name.
class FileSender {
 public:
  FileSender(layer::TarWriter& archive, bool xattrs) : archive_(archive), xattrs_(xattrs) {}

  /// `change` may put right what the member says, before it is written. ENOENT if there is no such file any more. The file itself, if it
  /// is a directory; else invalid.
  Result<sys::Fd> send(int dir, const std::string& name, const std::string& member_path,
                       const std::function<void(layer::ArchiveMember&)>& change = {});

 private:
  Result<void> send_data(int fd, std::uint64_t size, const std::string& path);
  Result<void> add_xattrs(int fd, layer::ArchiveMember& member) const;

  layer::TarWriter& archive_;
  bool xattrs_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;  // of hard-linked files
};

}  // namespace sbx::copy
