// Files of which a part was written: a hole in the upper directory's file is what the lower file has there. So a byte appended to a large
// file copies one block, nothing has to be noted of each write, and what a power cut loses is what was not synced.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "overlay/core/overlay.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {
namespace {

constexpr std::size_t kFillBytes = 256U << 10U;

/// The first byte of data from `offset` on; `end` if there is none before.
FsResult<std::uint64_t> next_data(int fd, std::uint64_t offset, std::uint64_t end) noexcept {
  const auto data = sys::at::seek(fd, offset, SEEK_DATA);
  if (!data && data.error() == Errno(ENXIO)) {
    return end;
  }
  return data ? FsResult<std::uint64_t>(std::min(*data, end)) : fail(data.error());
}

FsResult<std::uint64_t> next_hole(int fd, std::uint64_t offset, std::uint64_t end) noexcept {
  const auto hole = sys::at::seek(fd, offset, SEEK_HOLE);
  if (!hole && hole.error() == Errno(ENXIO)) {
    return end;  // cut meanwhile
  }
  return hole ? FsResult<std::uint64_t>(std::min(*hole, end)) : fail(hole.error());
}

}  // namespace

FsResult<bool> Overlay::begin_parts(NodeId id) noexcept {
  if (upper_ == nullptr || upper_->whole() || upper_->hole_unit() == 0) {
    return false;
  }
  const std::unique_lock lock(tree_);
  const Found found = SBX_TRY(locate(id));
  const Attr attr = SBX_TRY(found.node != nullptr ? attr_of(*found.node, Access::kExclusive)
                                                  : attr_of_lower(found.lower));
  if (!S_ISREG(attr.mode) || attr.size < copy_by_parts_from_) {
    return false;
  }
  Node* node = SBX_TRY(copy_up(found));
  if (node->metacopy && !parts_marked_) {
    SBX_TRY(upper_->set_has_parts());
    parts_marked_ = true;
  }
  node->partial = node->metacopy;
  return node->partial;
}

FsResult<void> Overlay::set_below(NodeId id, std::uint64_t below) noexcept {
  const std::unique_lock lock(tree_);
  Node* node = nodes_.find(id);
  if (node == nullptr) {
    return no(ESTALE);
  }
  if (node->below_stored && below >= node->below) {
    return {};
  }
  node->below = std::min(node->below, below);
  const FdRef fd = SBX_TRY(file_fd(*node));
  SBX_TRY(upper_->set_below(fd->get(), node->below));
  node->below_stored = true;
  return {};
}

/// All of `data`, zeros where the lower file has nothing or must not show any more.
FsResult<void> Overlay::read_below(const Source& source, std::uint64_t offset,
                                   std::span<std::byte> data) noexcept {
  const std::uint64_t there = source.below > offset ? source.below - offset : 0;
  const auto wanted = data.first(std::min<std::uint64_t>(data.size(), there));
  const std::size_t got = SBX_TRY(lower_->read(source.lower, offset, wanted));
  std::fill(data.begin() + static_cast<std::ptrdiff_t>(got), data.end(), std::byte{0});
  return {};
}

FsResult<std::size_t> Overlay::read_parts(const Source& source, std::uint64_t offset,
                                          std::span<std::byte> data) noexcept {
  const int fd = source.fd->get();
  const auto size = static_cast<std::uint64_t>(SBX_TRY(sys::at::stat(fd)).st_size);
  const std::uint64_t end = std::min(offset + data.size(), size);
  std::uint64_t at = offset;
  while (at < end) {
    const std::uint64_t hole_end = SBX_TRY(next_data(fd, at, end));
    SBX_TRY(read_below(source, at, data.subspan(at - offset, hole_end - at)));
    const std::uint64_t data_end = hole_end < end ? SBX_TRY(next_hole(fd, hole_end, end)) : end;
    const std::size_t wanted = data_end - hole_end;
    const std::size_t got =
        SBX_TRY(sys::at::pread_full(fd, data.subspan(hole_end - offset, wanted), hole_end));
    if (got < wanted) {
      return hole_end + got - offset;  // cut meanwhile
    }
    at = data_end;
  }
  return end > offset ? end - offset : 0;
}

/// Blocks that are written for the first time, and not as a whole, get the rest from the lower file in the same write.
FsResult<void> Overlay::write_part(const Source& source, std::uint64_t offset,
                                   std::span<const std::byte> data) noexcept {
  if (data.empty()) {
    return {};  // makes no file longer, so its block must not either
  }
  const int fd = source.fd->get();
  const std::uint64_t unit = source.in_parts() ? upper_->hole_unit() : 1;
  const std::uint64_t end = offset + data.size();
  std::uint64_t begin = offset / unit * unit;
  if (begin == offset || begin >= source.below ||
      SBX_TRY(next_data(fd, begin, begin + unit)) == begin) {
    begin = offset;
  }
  const std::uint64_t last = end / unit * unit;
  std::uint64_t stop = std::max(end, std::min(last + unit, source.below));
  if (last == end || stop == end || SBX_TRY(next_data(fd, last, last + unit)) == last) {
    stop = end;
  }
  if (begin == offset && stop == end) {
    return write_metered(fd, data, offset);
  }
  std::vector<std::byte> whole(stop - begin);
  const std::span all(whole);
  SBX_TRY(read_below(source, begin, all.first(offset - begin)));
  std::copy(data.begin(), data.end(), whole.begin() + static_cast<std::ptrdiff_t>(offset - begin));
  SBX_TRY(read_below(source, end, all.subspan(end - begin)));
  return write_metered(fd, whole, begin);
}

FsResult<void> Overlay::fill_holes(const Source& source, std::uint64_t length) noexcept {
  const int fd = source.fd->get();
  std::vector<std::byte> buffer(kFillBytes);
  for (std::uint64_t at = SBX_TRY(next_hole(fd, 0, length)); at < length;
       at = SBX_TRY(next_hole(fd, at, length))) {
    const std::uint64_t end = SBX_TRY(next_data(fd, at, length));
    while (at < end) {
      const auto part = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), end - at));
      SBX_TRY(read_below(source, at, part));
      const bool hole = std::all_of(part.begin(), part.end(),
                                    [](std::byte byte) { return byte == std::byte{0}; });
      if (!hole) {
        SBX_TRY(sys::at::pwrite_full(fd, part, at));
      }
      at += part.size();
    }
  }
  return {};
}

}  // namespace sbx::overlay
