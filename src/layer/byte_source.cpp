#include "layer/byte_source.hpp"

#include <algorithm>

#include "sys/file.hpp"

namespace sbx::layer {

Result<std::size_t> FileSource::read(std::span<std::byte> data) {
  data = data.first(static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), left_)));
  const std::size_t got = SBX_TRY(sys::pread_full(fd_, data, offset_, name_));
  if (got < data.size()) {
    return fail(Error::make(ErrorCode::kCorrupt, "read", name_, "it is shorter than it should be"));
  }
  offset_ += got;
  left_ -= got;
  return got;
}

}  // namespace sbx::layer
