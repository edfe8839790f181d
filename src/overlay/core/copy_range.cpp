#include "overlay/core/copy_range.hpp"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <span>

#include "sys/at.hpp"

namespace sbx::overlay {

FsResult<void> copy_range(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset,
                          std::uint64_t length) noexcept {
  constexpr std::uint64_t kStep = 1U << 30;         // below the 2 GiB that one call copies at most
  constexpr std::size_t kBufferBytes = 128 * 1024;  // as cp(1); larger ones do not measure faster
  while (length > 0) {
    const auto copied = sys::at::copy_range(from, from_offset, to, to_offset,
                                            static_cast<std::size_t>(std::min(length, kStep)));
    if (!copied || *copied == 0) {
      break;  // other file system, unusual file: the loop below finds out
    }
    from_offset += *copied;
    to_offset += *copied;
    length -= *copied;
  }
  if (length == 0) {
    return {};
  }
  const auto buffer = std::make_unique<std::byte[]>(kBufferBytes);
  while (length > 0) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(length, kBufferBytes));
    const std::size_t got = SBX_TRY(sys::at::pread_full(from, {buffer.get(), part}, from_offset));
    if (got == 0) {
      return no(EIO);
    }
    SBX_TRY(sys::at::pwrite_full(to, {buffer.get(), got}, to_offset));
    from_offset += got;
    to_offset += got;
    length -= got;
  }
  return {};
}

FsResult<void> copy_sparse(int from, int to, std::uint64_t length) noexcept {
  const struct stat st = SBX_TRY(sys::at::stat(from));
  const std::uint64_t end = std::min(length, static_cast<std::uint64_t>(st.st_size));
  std::uint64_t at = 0;
  while (at < end) {
    const auto data = sys::at::seek(from, at, SEEK_DATA);
    if (!data && data.error() == Errno(ENXIO)) {
      return {};  // only a hole is left
    }
    if (!data) {
      return copy_range(from, at, to, at, end - at);  // a file system without holes
    }
    if (*data >= end) {
      return {};
    }
    const std::uint64_t hole = std::min(SBX_TRY(sys::at::seek(from, *data, SEEK_HOLE)), end);
    SBX_TRY(copy_range(from, *data, to, *data, hole - *data));
    at = hole;
  }
  return {};
}

void split_names(std::string_view list, std::vector<std::string>& names) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find('\0'), list.size());
    names.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

}  // namespace sbx::overlay
