// What lies in the upper directory becomes nodes: at the first use, so that a start costs nothing.

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "overlay/core/keep_times.hpp"
#include "overlay/core/layer_marks.hpp"
#include "overlay/core/overlay.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

FsResult<DirIndex*> Overlay::index_of(Node& dir, Access access) noexcept {
  if (dir.index != nullptr) {
    return dir.index.get();
  }
  if (access == Access::kShared) {
    return no(kNeedExclusive);
  }
  std::int64_t subdirs = 0;
  if (dir.lower) {
    const Attr below = SBX_TRY(lower_->attr(dir.lower.ref()));
    subdirs = below.nlink >= 2 ? std::int64_t{below.nlink} - 2
                               : -1;  // some file systems (btrfs) do not count
  }
  auto index = std::make_unique<DirIndex>(subdirs);
  SBX_TRY(read_index(dir, *index));
  dir.index = std::move(index);
  return dir.index.get();
}

FsResult<void> Overlay::read_index(Node& dir, DirIndex& index) noexcept {
  const FdRef shared = SBX_TRY(dir_fd(dir));
  const sys::Fd fd = SBX_TRY(sys::at::open(shared->get(), ".", O_RDONLY | O_DIRECTORY));
  std::vector<std::string> foreign;  // names hidden by files ".wh.NAME"
  alignas(8) std::byte buffer[32 * 1024];
  for (;;) {
    const std::size_t got = SBX_TRY(sys::at::read_dirents(fd.get(), buffer));
    if (got == 0) {
      break;
    }
    sys::at::DirentReader reader(std::span<const std::byte>(buffer, got));
    sys::at::DirentReader::Dirent found{};
    while (reader.next(found)) {
      const std::string_view name = found.name;
      if (name == "." || name == ".." || upper_->left_behind(name)) {
        continue;
      }
      if (upper_->whole() && is_whiteout_name(name)) {
        if (name != kOpaqueFile) {
          foreign.emplace_back(name.substr(kWhiteoutPrefix.size()));
        }
        continue;
      }
      IndexEntry& entry = index.add(name, lower_type(dir, name));
      // Ours are the only devices here, and they are whiteouts; but the directory may be another tool's.
      if (found.type != DT_DIR && found.type != DT_LNK && (found.type != DT_REG || dir.marked)) {
        const Stored stored = SBX_TRY(upper_->load(fd.get(), entry.name, dir.marked));
        if (stored.whiteout) {
          index.set_whiteout(entry);
        } else {
          index.set_kind(entry, S_ISDIR(stored.mode));
        }
      } else {
        index.set_kind(entry, found.type == DT_DIR);
      }
    }
  }
  if (dir.interrupted) {
    SBX_TRY(end_interruption(dir, fd.get(), index));
  }
  for (const std::string& name : foreign) {
    const bool hides = index.find(name) == nullptr;
    SBX_TRY(upper_->convert_whiteout(fd.get(), name, hides));
    if (hides) {
      index.set_whiteout(index.add(name, lower_type(dir, name)));
    }
  }
  return {};
}

/// A server that was killed had taken a whiteout, or what covers a lower name, away, and put nothing in its place yet.
FsResult<void> Overlay::end_interruption(Node& dir, int fd, DirIndex& index) noexcept {
  const KeepTimes keep(fd);
  for (const std::string& name : SBX_TRY(upper_->hidden_names(fd))) {
    const std::uint32_t below = lower_type(dir, name);
    if (below != 0 && index.find(name) == nullptr) {
      SBX_TRY(upper_->make_whiteout(fd, name));
      index.set_whiteout(index.add(name, below));
    }
  }
  SBX_TRY(upper_->end_interruption(fd));
  dir.interrupted = false;
  return {};
}

FsResult<LowerPin> Overlay::resolve_lower(std::string_view path) noexcept {
  LowerPin at = LowerPin::of(*lower_, kLowerRoot);
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty() || part == ".") {
      continue;
    }
    if (part == "..") {
      return no(EINVAL);
    }
    at = SBX_TRY(lower_->lookup(at.ref(), part));
  }
  return at;
}

FsResult<LowerPin> Overlay::lower_of_stored(const Node& dir, std::string_view name,
                                            const Stored& stored) noexcept {
  const bool directory = S_ISDIR(stored.mode);
  if (stored.opaque || (!directory && !stored.metacopy && stored.origin == 0)) {
    return LowerPin();
  }
  FsResult<LowerPin> pin = no(ENOENT);
  if (!directory && stored.origin != 0) {
    pin = lower_->by_number(stored.origin);
  }
  if (!pin && !directory && !stored.metacopy) {
    return LowerPin();  // the number is all that is needed of it
  }
  if (!pin && stored.redirect.starts_with('/')) {
    pin = resolve_lower(stored.redirect);
  } else if (!pin && dir.lower) {
    pin = lower_->lookup(dir.lower.ref(),
                         stored.redirect.empty() ? name : std::string_view(stored.redirect));
  }
  if (pin) {
    const Attr below = SBX_TRY(lower_->attr(pin->ref()));
    if ((below.mode & S_IFMT) == (stored.mode & S_IFMT)) {
      return pin;
    }
  }
  // A directory without a lower one is just that. A file whose data is gone cannot be served.
  if (stored.metacopy) {
    return no(EIO);
  }
  return LowerPin();
}

Node& Overlay::node_of_stored(const Stored& stored, LowerPin lower) noexcept {
  const bool usable = lower && nodes_.find(NodeId(lower.ref().get())) == nullptr;
  Node& node = usable ? nodes_.add(NodeId(lower.ref().get())) : nodes_.add_new();
  node.mode = stored.mode;
  node.owner = stored.owner;
  node.rdev = stored.rdev;
  node.host_ino = stored.host.st_ino;
  node.has_upper = true;
  node.metacopy = stored.metacopy;
  node.by_name = stored.by_name;
  node.below = stored.below;
  if (stored.metacopy && lower) {
    const auto all = lower_->attr(lower.ref());
    // Blocks may be those of attributes: then looking for data finds none. Without any the file may still have been cut or grown.
    node.partial = stored.host.st_blocks != 0 || !all || all->size != node.below ||
                   static_cast<std::uint64_t>(stored.host.st_size) != node.below;
    // Where all looks like data, no file is written in parts, and blocks are those of attributes too.
    node.partial = node.partial && !stored.copying && upper_->tells_holes();
  }
  node.marked = stored.xattr_whiteouts;
  node.interrupted = S_ISDIR(stored.mode) && stored.interrupted;
  node.moved = S_ISDIR(stored.mode) && lower && !stored.redirect.empty();
  node.ino = stored.origin;
  if (node.ino == 0 && lower) {
    const auto below = lower_->attr(lower.ref());
    node.ino = below ? below->ino : 0;
  }
  if (node.ino == 0) {
    node.ino = lower_->number_for_upper(stored.host.st_dev, stored.host.st_ino);
  }
  node.lower = std::move(lower);
  return node;
}

FsResult<Node*> Overlay::load_child(Node& dir, IndexEntry& entry, Access access) noexcept {
  if (access == Access::kShared) {
    return no(kNeedExclusive);
  }
  const FdRef fd = SBX_TRY(dir_fd(dir));
  const Stored stored = SBX_TRY(upper_->load(fd->get(), entry.name, dir.marked));
  const bool linked = !S_ISDIR(stored.mode) && stored.host.st_nlink > 1;
  Node* node = linked ? nodes_.find_linked(stored.host.st_ino) : nullptr;
  if (node == nullptr) {
    LowerPin lower = SBX_TRY(lower_of_stored(dir, entry.name, stored));
    if (S_ISDIR(stored.mode) && lower && nodes_.find(NodeId(lower.ref().get())) != nullptr) {
      return no(
          EIO);  // two directories claim one lower directory: somebody else copied one of them
    }
    node = &node_of_stored(stored, std::move(lower));
    if (linked) {
      nodes_.set_linked(*node);
    }
  }
  add_link(*node, dir, entry.name);
  dir.index->set_node(entry, *node, node->ino, node->mode & S_IFMT);
  return node;
}

}  // namespace sbx::overlay
