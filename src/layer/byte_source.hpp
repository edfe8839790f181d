#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.hpp"

namespace sbx::layer {

/// Bytes one after the other.
class ByteSource {
 public:
  ByteSource() = default;
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  ByteSource(ByteSource&&) = delete;
  ByteSource& operator=(ByteSource&&) = delete;

  /// At least one byte of data.size() > 0; 0 only at the end.
  virtual Result<std::size_t> read(std::span<std::byte> data) = 0;
};

/// A part of a file, read by pread(2): a blob, or a member of an archive that is never extracted.
class FileSource final : public ByteSource {
 public:
  /// `fd` must outlive the source. `name` is for errors.
  FileSource(int fd, std::uint64_t offset, std::uint64_t size, std::string name)
      : fd_(fd), offset_(offset), left_(size), name_(std::move(name)) {}

  /// kCorrupt if the file ends before the part does.
  Result<std::size_t> read(std::span<std::byte> data) override;

 private:
  int fd_;
  std::uint64_t offset_;
  std::uint64_t left_;
  std::string name_;
};

}  // namespace sbx::layer
