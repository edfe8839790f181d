#include "sys/mapping.hpp"

#include <sys/mman.h>

namespace sbx::sys {

Mapping::~Mapping() {
  if (data_ != nullptr) {
    (void)::munmap(data_, size_);
  }
}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Result<Mapping> Mapping::map_readonly(int fd, std::size_t size, std::string_view name) {
  if (size == 0) {
    return Mapping();  // mmap(2) refuses length 0
  }
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) {
    return fail(Error::system("map", name));
  }
  return Mapping(data, size);
}

void Mapping::release() const noexcept {
  if (data_ != nullptr) {
    (void)::madvise(data_, size_, MADV_DONTNEED);
  }
}

}  // namespace sbx::sys
