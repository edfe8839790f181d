#include "layer/layer_index.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "layer/whiteout.hpp"

namespace sbx::layer {
namespace {

Result<void> take(std::atomic<std::uint64_t>& used, std::uint64_t more, std::uint64_t limit,
                  std::string_view what) {
  const std::uint64_t before = used.fetch_add(more, std::memory_order_relaxed);
  if (before > limit || more > limit - before) {
    return fail(Error::make(ErrorCode::kLimit, "index image", "",
                            fmt::format("it has more than {} {}", limit, what)));
  }
  return {};
}

std::uint32_t type_bits(EntryType type) {
  switch (type) {
    case EntryType::kRegular:
    case EntryType::kHardLink:
      return S_IFREG;
    case EntryType::kDirectory:
      return S_IFDIR;
    case EntryType::kSymlink:
      return S_IFLNK;
    case EntryType::kCharDevice:
      return S_IFCHR;
    case EntryType::kBlockDevice:
      return S_IFBLK;
    case EntryType::kFifo:
      return S_IFIFO;
    case EntryType::kSocket:
      return S_IFSOCK;
  }
  return 0;
}

format::InodeRecord inode_of(const TarEntry& entry) {
  format::InodeRecord inode{};
  // Linux gives every symlink mode 0777, whatever the tar says.
  inode.mode = type_bits(entry.type) | (entry.type == EntryType::kSymlink ? 0777U : entry.mode);
  inode.uid = entry.uid;
  inode.gid = entry.gid;
  inode.mtime_sec = entry.mtime_sec;
  inode.mtime_nsec = entry.mtime_nsec;
  inode.size = entry.type == EntryType::kRegular ? entry.size : 0;
  if (S_ISCHR(inode.mode) || S_ISBLK(inode.mode)) {
    inode.data = entry.rdev;
  } else if (entry.type == EntryType::kRegular) {
    inode.data = entry.data_offset;
  }
  return inode;
}

}  // namespace

Result<void> TreeBudget::take_entries(std::uint64_t count) {
  return take(entries_, count, limits_.entries, "files and directories");
}

Result<void> TreeBudget::take_strings(std::uint64_t bytes) {
  return take(strings_, bytes, limits_.string_bytes, "bytes of names and attributes");
}

Result<void> TreeBudget::take_extents(std::uint64_t count) {
  return take(extents_, count, limits_.extents, "extents of sparse files or blocks of a squashfs");
}

/// Paths through chains of symlinks make much work of few bytes.
Result<void> TreeBudget::take_step() {
  if (++steps_ > limits_.steps) {
    return fail(Error::make(ErrorCode::kLimit, "index image", "",
                            "its paths take too much work to follow"));
  }
  return {};
}

Result<void> LayerIndex::add(const TarEntry& entry) {
  SBX_TRY(budget_->take_entries(1));
  const Whiteout whiteout = SBX_TRY(parse_whiteout(entry.path));
  switch (whiteout.kind) {
    case WhiteoutKind::kIgnored:
      return {};
    case WhiteoutKind::kNone:
      return add_entry(entry);
    case WhiteoutKind::kName:
    case WhiteoutKind::kOpaque:
      break;
  }
  const Text directory = SBX_TRY(keep(whiteout.directory));
  whiteouts_.push_back({directory, SBX_TRY(keep(whiteout.name))});
  return {};
}

Result<void> LayerIndex::add_plain(const TarEntry& entry) {
  SBX_TRY(budget_->take_entries(1));
  return add_entry(entry);
}

Result<LayerIndex::Text> LayerIndex::keep(std::string_view text) {
  SBX_TRY(budget_->take_strings(text.size()));
  const Text kept{static_cast<std::uint32_t>(strings_.size()),
                  static_cast<std::uint32_t>(text.size())};
  strings_ += text;
  return kept;
}

Result<void> LayerIndex::add_entry(const TarEntry& entry) {
  Entry out;
  out.type = entry.type;
  out.path = SBX_TRY(keep(entry.path));
  out.link = SBX_TRY(keep(entry.link));
  out.inode = inode_of(entry);
  if (entry.sparse) {
    SBX_TRY(budget_->take_extents(entry.extents.size()));
    out.inode.flags = format::kInodeSparse;
    out.inode.data = extents_.size();
    out.inode.count = static_cast<std::uint32_t>(entry.extents.size());
    for (const ImageTree::Extent& e : entry.extents) {
      extents_.push_back({e.file_offset, e.length, e.tar_offset});
    }
  }
  out.first_xattr = static_cast<std::uint32_t>(xattrs_.size());
  out.xattr_count = static_cast<std::uint32_t>(entry.xattrs.size());
  for (const auto& [name, value] : entry.xattrs) {
    xattrs_.push_back(SBX_TRY(keep(name)));
    xattrs_.push_back(SBX_TRY(keep(value)));
  }
  entries_.push_back(out);
  return {};
}

}  // namespace sbx::layer
