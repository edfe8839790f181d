#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::image {

/// A file of a source: a file of its own, or a member of an archive.
struct SourceFile {
  sys::Fd owned;  // invalid for a member of an archive
  int fd = -1;    // to read from
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::string name;  // for errors
};

/// The files from which an image is loaded: a directory, or an archive that is indexed and read in
/// place, never extracted.
class SourceFiles {
 public:
  SourceFiles() = default;
  virtual ~SourceFiles() = default;
  SourceFiles(const SourceFiles&) = delete;
  SourceFiles& operator=(const SourceFiles&) = delete;
  SourceFiles(SourceFiles&&) = delete;
  SourceFiles& operator=(SourceFiles&&) = delete;

  /// kNotFound if there is no such file. Paths and symlinks do not lead out of the source. Archive
  /// members are valid as long as this object.
  virtual Result<SourceFile> find(std::string_view path) = 0;

  /// A whole small file; kLimit beyond `max`.
  Result<std::string> read(std::string_view path, std::size_t max);
};

/// `dir`: the open directory; `name` for errors.
std::unique_ptr<SourceFiles> directory_files(sys::Fd dir, std::string name);
/// kCorrupt if the file is no tar; kUnsupported with a hint if it is compressed as a whole.
Result<std::unique_ptr<SourceFiles>> archive_files(sys::Fd archive, std::string name);

}  // namespace sbx::image
