#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace sbx::layer {

/// A member of a tar with all that a file system says of it.
struct ArchiveMember {
  std::string path;  // relative
  mode_t mode = 0;   // type and permissions; no socket: a tar has none
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  timespec mtime{};
  std::uint64_t size = 0;  // of a regular file that is no hard link
  dev_t rdev = 0;
  std::string symlink;    // the target of a symlink
  std::string hard_link;  // the path of an earlier member that this is another name of; empty: none
  std::vector<std::pair<std::string, std::string>> xattrs;
};

/// Writes a tar to a descriptor, one member after the other, by libarchive: ustar, with PAX headers only where something needs
/// them. Of files without more words: owner root, mode 0644, time 0, so that the same files make the same bytes. Buffers nothing.
class ArchiveWriter {
 public:
  /// `fd` must outlive the writer; `name` is for errors.
  static Result<ArchiveWriter> open(int fd, std::string name);
  ~ArchiveWriter();
  ArchiveWriter(ArchiveWriter&&) noexcept;
  ArchiveWriter& operator=(ArchiveWriter&&) = delete;
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;

  /// A directory, mode 0755. Readers that make missing parents themselves give them to root, which an ordinary user cannot.
  Result<void> add_directory(const std::string& path);
  /// The next member; exactly `size` bytes are to follow by write().
  Result<void> begin(const std::string& path, std::uint64_t size);
  Result<void> begin(const ArchiveMember& member);
  Result<void> write(std::span<const std::byte> data);
  /// begin() and write().
  Result<void> add(const std::string& path, std::string_view data);
  /// The end of the archive. A member that has not got all its bytes is kCorrupt.
  Result<void> finish();

 private:
  struct State;
  explicit ArchiveWriter(std::unique_ptr<State> state);
  Result<void> end_member();

  std::unique_ptr<State> state_;
};

}  // namespace sbx::layer
