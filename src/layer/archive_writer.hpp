#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "layer/archive_member.hpp"

namespace sbx::layer {

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
