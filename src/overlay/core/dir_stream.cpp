// Listing a directory. There is no opendir, so an offset must mean the same for ever, whatever happens
// meanwhile:
//
//   0 .            1 ..           2 + i   the lower directory's entry i (its order never changes)
//   2^40 + s       the upper directory's entry with sequence number s (given once, never again)
//
// An offset is that of the entry before. A name that both have is listed at its place in the lower
// directory, so that a copy-up in the middle of a listing neither repeats nor skips it.

#include <sys/stat.h>

#include "overlay/core/overlay.hpp"

namespace sbx::overlay {

namespace {

constexpr std::uint64_t kFirstLower = 2;
constexpr std::uint64_t kUpperBase = std::uint64_t{1} << 40;

}  // namespace

/// One listing; also takes the lower directory's entries.
class Overlay::Lister final : public EntrySink {
 public:
  Lister(Overlay& overlay, const Found& dir, DirIndex* index, ListKind kind, Access access,
         DirSink& sink)
      : overlay_(overlay), dir_(dir), index_(index), kind_(kind), access_(access), sink_(sink) {}

  FsResult<void> run(std::uint64_t offset, std::uint64_t self, std::uint64_t parent) noexcept {
    if (offset == 0 && !take_dot(".", self, 1)) {
      return {};
    }
    if (offset <= 1 && !take_dot("..", parent, kFirstLower)) {
      return {};
    }
    if (offset < kUpperBase) {
      const std::uint64_t first = offset < kFirstLower ? 0 : offset - kFirstLower;
      if (lower_dir(dir_) != kNoLower) {
        SBX_TRY(overlay_.lower_->list(lower_dir(dir_), first, *this));
      }
      if (full_ || error_ != Errno()) {
        return result();
      }
      offset = kUpperBase;
    }
    return index_ == nullptr ? FsResult<void>() : run_upper(offset - kUpperBase);
  }

  bool take(std::uint64_t index, std::string_view name, std::uint64_t ino,
            std::uint32_t type) override {
    const std::uint64_t next = kFirstLower + index + 1;
    if (IndexEntry* entry = index_ == nullptr ? nullptr : index_->find(name)) {
      return entry->whiteout || take_upper(*entry, next);
    }
    Entry entry;
    entry.attr.ino = ino;
    entry.attr.mode = type;
    if (kind_ == ListKind::kWithAttributes) {
      // What cannot be looked up just now is listed without attributes.
      if (auto found = overlay_.entry_in(dir_, std::string(name), access_)) {
        entry = *found;
      }
    }
    return give(name, entry, next);
  }

 private:
  FsResult<void> run_upper(std::uint64_t sequence) noexcept {
    while (IndexEntry* entry = index_->after(sequence)) {
      sequence = entry->sequence;
      if (!entry->whiteout && !entry->in_lower && !take_upper(*entry, kUpperBase + sequence)) {
        break;
      }
    }
    return result();
  }

  bool take_upper(IndexEntry& entry, std::uint64_t next) noexcept {
    const bool load =
        entry.node == nullptr && (kind_ == ListKind::kWithAttributes || entry.ino == 0);
    if (load) {
      const auto loaded = overlay_.load_child(*dir_.node, entry, access_);
      if (!loaded && loaded.error() == Errno(kNeedExclusive)) {
        error_ = loaded.error();
        return false;
      }
    }
    Entry out;
    out.attr.ino = entry.ino;
    out.attr.mode = entry.type;
    Node* node = entry.node;
    if (node != nullptr && kind_ == ListKind::kWithAttributes) {
      if (auto full = overlay_.entry_of(*node, access_)) {
        out = *full;
      }
    }
    const bool taken = give(entry.name, out, next);
    if (load && node != nullptr && access_ == Access::kExclusive) {
      overlay_.drop_if_unused(node);
    }
    return taken;
  }

  bool give(std::string_view name, const Entry& entry, std::uint64_t next) noexcept {
    if (sink_.take(name, entry, next)) {
      return true;
    }
    full_ = true;
    if (entry.id != NodeId(0)) {
      overlay_.uncount_lookup(entry.id);
    }
    return false;
  }

  bool take_dot(std::string_view name, std::uint64_t ino, std::uint64_t next) noexcept {
    Entry entry;
    entry.attr.ino = ino;
    entry.attr.mode = S_IFDIR;
    return give(name, entry, next);
  }

  FsResult<void> result() const noexcept {
    return error_ == Errno() ? FsResult<void>() : fail(error_);
  }

  Overlay& overlay_;
  const Found& dir_;
  DirIndex* index_;
  ListKind kind_;
  Access access_;
  DirSink& sink_;
  bool full_ = false;
  Errno error_;
};

FsResult<Entry> Overlay::entry_in(const Found& dir, Name name, Access access) noexcept {
  const Found found = SBX_TRY(child(dir, name, access));
  return found.node != nullptr ? entry_of(*found.node, access) : entry_of_lower(found.lower);
}

void Overlay::uncount_lookup(NodeId id) noexcept {
  if (id.get() <= kLastLowerId) {
    (void)lower_->drop_lookups(LowerRef(id.get()), 1);
  } else if (Node* node = nodes_.find(id)) {
    node->lookups.fetch_sub(1, std::memory_order_relaxed);
  }
}

FsResult<std::uint64_t> Overlay::parent_number(const Found& dir, std::uint64_t self) noexcept {
  if (dir.node != nullptr && !dir.node->links.empty()) {
    return dir.node->links.front().dir->ino;
  }
  if (dir.node != nullptr || dir.lower == kLowerRoot) {
    return self;
  }
  const LowerRef above = SBX_TRY(lower_->parent(dir.lower));
  if (const Node* node = nodes_.find(NodeId(above.get()))) {
    return node->ino;
  }
  return SBX_TRY(lower_->attr(above)).ino;
}

FsResult<void> Overlay::list(NodeId dir_id, std::uint64_t offset, ListKind kind,
                             DirSink& sink) noexcept {
  return with_tree([&](Access access) -> FsResult<void> {
    sink.restart();
    const auto located = locate_dir(dir_id);
    if (!located) {
      // A removed directory that somebody still reads is empty.
      return located.error() == Errno(ENOENT) ? FsResult<void>() : fail(located.error());
    }
    const Found& dir = *located;
    DirIndex* index = nullptr;
    std::uint64_t self = 0;
    if (dir.node != nullptr && dir.node->has_upper) {
      // Lookups are counted on the way, so a listing with attributes cannot begin again half-way.
      if (access == Access::kShared && kind == ListKind::kWithAttributes) {
        return no(kNeedExclusive);
      }
      index = SBX_TRY(index_of(*dir.node, access));
      self = dir.node->ino;
    } else {
      const Attr attr = SBX_TRY(lower_->attr(lower_dir(dir)));
      if (!attr.is_dir()) {
        return no(ENOTDIR);
      }
      self = attr.ino;
    }
    Lister lister(*this, dir, index, kind, access, sink);
    return lister.run(offset, self, parent_number(dir, self).value_or(0));
  });
}

}  // namespace sbx::overlay
