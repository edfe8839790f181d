#include "layer/packed_entries.hpp"

namespace sbx::layer {
namespace {

// What an entry begins with; the lowest three bits are its type. Bits from the eighth on cost a second byte: they are rare.
constexpr std::uint64_t kTypeMask = 7;
static_assert(static_cast<std::uint64_t>(EntryType::kSocket) <= kTypeMask);
constexpr std::uint64_t kMode = 1U << 3U;   // it is not that of the last entry of this type
constexpr std::uint64_t kOwner = 1U << 4U;  // this and the next: not those of the entry before
constexpr std::uint64_t kTime = 1U << 5U;
constexpr std::uint64_t kSparse = 1U << 6U;
constexpr std::uint64_t kXattrs = 1U << 7U;
constexpr std::uint64_t kNanoseconds = 1U << 8U;  // as kTime

constexpr std::uint64_t kBlock = 512;  // of a tar

bool is_link(EntryType type) { return type == EntryType::kSymlink || type == EntryType::kHardLink; }

bool is_device(EntryType type) {
  return type == EntryType::kCharDevice || type == EntryType::kBlockDevice;
}

bool has_extents(const TarEntry& entry) {
  return entry.sparse && entry.type == EntryType::kRegular;
}

}  // namespace

void PackedEntries::Known::learn(const TarEntry& entry) {
  modes[static_cast<std::size_t>(entry.type)] = entry.mode;
  uid = entry.uid;
  gid = entry.gid;
  mtime_sec = entry.mtime_sec;
  mtime_nsec = entry.mtime_nsec;
  if (entry.type == EntryType::kRegular) {
    data_offset = entry.data_offset + (entry.size + kBlock - 1) / kBlock * kBlock;
  }
  data_offset += kBlock;
  if (!entry.xattrs.empty()) {
    xattrs = entry.xattrs;
  }
}

void PackedEntries::add(const TarEntry& entry) {
  const auto type = static_cast<std::uint64_t>(entry.type);
  std::uint64_t head = type;
  head |= entry.mode != known_.modes[type] ? kMode : 0;
  head |= entry.uid != known_.uid || entry.gid != known_.gid ? kOwner : 0;
  head |= entry.mtime_sec != known_.mtime_sec ? kTime : 0;
  head |= entry.mtime_nsec != known_.mtime_nsec ? kNanoseconds : 0;
  head |= has_extents(entry) ? kSparse : 0;
  head |= entry.xattrs.empty() ? 0 : kXattrs;
  stream_.number(head);
  stream_.text_after(path_, entry.path);
  path_ = entry.path;
  if ((head & kMode) != 0) {
    stream_.number(entry.mode);
  }
  if ((head & kOwner) != 0) {
    stream_.number(entry.uid);
    stream_.number(entry.gid);
  }
  if ((head & kTime) != 0) {
    stream_.difference(static_cast<std::uint64_t>(known_.mtime_sec),
                       static_cast<std::uint64_t>(entry.mtime_sec));
  }
  if ((head & kNanoseconds) != 0) {
    stream_.number(entry.mtime_nsec);
  }
  add_content(entry);
  if ((head & kSparse) != 0) {
    add_extents(entry);
  }
  if ((head & kXattrs) != 0) {
    add_xattrs(entry);
  }
  known_.learn(entry);
  ++count_;
}

void PackedEntries::add_content(const TarEntry& entry) {
  if (entry.type == EntryType::kRegular) {
    stream_.number(entry.size);
    stream_.difference(known_.data_offset, entry.data_offset);
  } else if (is_link(entry.type)) {
    stream_.text(entry.link);
  } else if (is_device(entry.type)) {
    stream_.number(entry.rdev);
  }
}

void PackedEntries::add_extents(const TarEntry& entry) {
  stream_.number(entry.extents.size());
  ImageTree::Extent before{};
  for (const ImageTree::Extent& extent : entry.extents) {
    stream_.difference(before.file_offset, extent.file_offset);
    stream_.number(extent.length);
    stream_.difference(before.tar_offset, extent.tar_offset);
    before = extent;
  }
}

void PackedEntries::add_xattrs(const TarEntry& entry) {
  if (entry.xattrs == known_.xattrs) {
    stream_.number(0);  // SELinux labels all files of a directory alike
    return;
  }
  stream_.number(entry.xattrs.size());
  for (const auto& [name, value] : entry.xattrs) {
    stream_.text(name);
    stream_.text(value);
  }
}

const TarEntry* PackedEntries::Reader::next() {
  if (stream_.at_end()) {
    return nullptr;
  }
  const std::uint64_t head = stream_.number();
  const std::uint64_t type = head & kTypeMask;
  entry_.type = static_cast<EntryType>(type);
  stream_.text_after(entry_.path);
  entry_.mode =
      (head & kMode) != 0 ? static_cast<std::uint32_t>(stream_.number()) : known_.modes[type];
  if ((head & kOwner) != 0) {
    entry_.uid = static_cast<std::uint32_t>(stream_.number());
    entry_.gid = static_cast<std::uint32_t>(stream_.number());
  }
  if ((head & kTime) != 0) {
    entry_.mtime_sec =
        static_cast<std::int64_t>(stream_.difference(static_cast<std::uint64_t>(entry_.mtime_sec)));
  }
  if ((head & kNanoseconds) != 0) {
    entry_.mtime_nsec = static_cast<std::uint32_t>(stream_.number());
  }
  read_content();
  entry_.sparse = (head & kSparse) != 0;
  entry_.extents.clear();
  if (entry_.sparse) {
    read_extents();
  }
  entry_.xattrs.clear();
  if ((head & kXattrs) != 0) {
    read_xattrs();
  }
  known_.learn(entry_);
  return &entry_;
}

void PackedEntries::Reader::read_content() {
  entry_.size = 0;
  entry_.data_offset = 0;
  entry_.link.clear();
  entry_.rdev = 0;
  if (entry_.type == EntryType::kRegular) {
    entry_.size = stream_.number();
    entry_.data_offset = stream_.difference(known_.data_offset);
  } else if (is_link(entry_.type)) {
    stream_.text(entry_.link);
  } else if (is_device(entry_.type)) {
    entry_.rdev = stream_.number();
  }
}

void PackedEntries::Reader::read_extents() {
  const std::uint64_t count = stream_.number();
  entry_.extents.reserve(count);
  ImageTree::Extent before{};
  for (std::uint64_t left = count; left != 0; --left) {
    before.file_offset = stream_.difference(before.file_offset);
    before.length = stream_.number();
    before.tar_offset = stream_.difference(before.tar_offset);
    entry_.extents.push_back(before);
  }
}

void PackedEntries::Reader::read_xattrs() {
  const std::uint64_t count = stream_.number();
  if (count == 0) {
    entry_.xattrs = known_.xattrs;
    return;
  }
  entry_.xattrs.resize(count);
  for (auto& [name, value] : entry_.xattrs) {
    stream_.text(name);
    stream_.text(value);
  }
}

}  // namespace sbx::layer
