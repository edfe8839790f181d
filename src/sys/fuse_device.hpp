#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys {

/// Another descriptor of the same FUSE connection, with a request queue of its own (FUSE_DEV_IOC_CLONE,
/// since Linux 4.2). The caller must be in the user namespace that `device` was opened in, else EINVAL.
FsResult<Fd> clone_fuse_device(int device) noexcept;

/// One request from the connection. ENODEV: the file system was unmounted.
FsResult<std::size_t> read_fuse_request(int device, std::span<std::byte> buffer) noexcept;

/// Whether another request waits to be read.
bool fuse_request_waits(int device) noexcept;

/// Memory that is zero and takes no room until touched; page-aligned.
class AnonymousBuffer {
 public:
  AnonymousBuffer() = default;
  static FsResult<AnonymousBuffer> make(std::size_t size) noexcept;
  ~AnonymousBuffer();
  AnonymousBuffer(AnonymousBuffer&& other) noexcept;
  AnonymousBuffer& operator=(AnonymousBuffer&& other) noexcept;
  AnonymousBuffer(const AnonymousBuffer&) = delete;
  AnonymousBuffer& operator=(const AnonymousBuffer&) = delete;

  [[nodiscard]] std::span<std::byte> bytes() const { return {data_, size_}; }
  /// Zero again, and takes no room.
  void clear() noexcept;

 private:
  AnonymousBuffer(std::byte* data, std::size_t size) : data_(data), size_(size) {}
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace sbx::sys
