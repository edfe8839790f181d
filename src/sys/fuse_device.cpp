#include "sys/fuse_device.hpp"

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace sbx::sys {

FsResult<Fd> clone_fuse_device(int device) noexcept {
  Fd made(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!made) {
    return fail(Errno::last());
  }
  auto master = static_cast<std::uint32_t>(device);
  if (::ioctl(made.get(), FUSE_DEV_IOC_CLONE, &master) < 0) {
    return fail(Errno::last());
  }
  return made;
}

FsResult<std::size_t> read_fuse_request(int device, std::span<std::byte> buffer) noexcept {
  for (;;) {
    const ssize_t got = ::read(device, buffer.data(), buffer.size());
    if (got >= 0) {
      return static_cast<std::size_t>(got);
    }
    // ENOENT: the request was interrupted before we got it. EINTR and EAGAIN: nothing happened.
    if (errno != EINTR && errno != EAGAIN && errno != ENOENT) {
      return fail(Errno::last());
    }
  }
}

bool fuse_request_waits(int device) noexcept {
  struct pollfd waiting {
    device, POLLIN, 0
  };
  return ::poll(&waiting, 1, 0) == 1 && (waiting.revents & POLLIN) != 0;
}

FsResult<AnonymousBuffer> AnonymousBuffer::make(std::size_t size) noexcept {
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return fail(Errno::last());
  }
  // Huge pages would make one touched byte cost 2 MiB.
  (void)::madvise(memory, size, MADV_NOHUGEPAGE);
  return AnonymousBuffer(static_cast<std::byte*>(memory), size);
}

void AnonymousBuffer::clear() noexcept { (void)::madvise(data_, size_, MADV_DONTNEED); }

AnonymousBuffer::~AnonymousBuffer() {
  if (data_ != nullptr) {
    (void)::munmap(data_, size_);
  }
}

AnonymousBuffer::AnonymousBuffer(AnonymousBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

AnonymousBuffer& AnonymousBuffer::operator=(AnonymousBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace sbx::sys
