// Copy-up: a file of the lower tree gets its own entry in the upper directory. Only metadata is copied:
// a regular file becomes an all-hole file of the right size with a mark, its data follows at the first
// write (data.cpp). Everything is made in the work directory and renamed into place, so that a crash
// leaves the old state or the new one.
//
// A hard-linked file gets all of its names at once, so that they stay names of one file. It keeps its name in the work directory
// until the last one: a server that finds it there, with other names, gives it those that it still lacks.

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include <algorithm>

#include "overlay/core/keep_times.hpp"
#include "overlay/core/overlay.hpp"
#include "overlay/core/xattr_policy.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

FsResult<Node*> Overlay::copy_up(const Found& found) noexcept {
  if (upper_ == nullptr) {
    return no(EROFS);
  }
  Node* node = found.node;
  if (node == nullptr) {
    const Attr attr = SBX_TRY(lower_->attr(found.lower));
    return attr.is_dir() ? copy_up_dir(found.lower) : copy_up_file(found.lower);
  }
  if (!node->has_upper && !S_ISDIR(node->mode)) {
    // Removed while in use: its copy has no name either.
    const std::string name = upper_->work_name("o");
    SBX_TRY(copy_file_to_work(found.lower, name, *node));
    node->work_name = name;
    node->last.reset();
  }
  return node;
}

FsResult<Node*> Overlay::copy_up_dir(LowerRef ref) noexcept {
  constexpr std::size_t kMaxDepth = 4096;  // a hostile tree may have loops
  struct Step {
    LowerRef ref;
    std::string name;
  };
  std::vector<Step> steps;
  Node* at = nodes_.find(NodeId(ref.get()));
  while (at == nullptr) {
    const std::vector<Lower::Place> places = SBX_TRY(lower_->places(ref));
    steps.push_back({ref, places.front().name});
    ref = places.front().dir;
    at = nodes_.find(NodeId(ref.get()));
    if (steps.size() > kMaxDepth) {
      return no(ELOOP);
    }
  }
  if (at->removed) {
    return no(ENOENT);
  }
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    at = SBX_TRY(step_into(*at, step->ref, step->name));
  }
  return at;
}

FsResult<Node*> Overlay::step_into(Node& dir, LowerRef ref, const std::string& name) noexcept {
  DirIndex* index = SBX_TRY(index_of(dir, Access::kExclusive));
  if (IndexEntry* entry = index->find(name)) {
    if (entry->whiteout) {
      return no(ENOENT);
    }
    Node* node =
        entry->node != nullptr ? entry->node : SBX_TRY(load_child(dir, *entry, Access::kExclusive));
    return node->lower.ref() == ref ? FsResult<Node*>(node) : no(ENOENT);
  }
  const Attr attr = SBX_TRY(attr_of_lower(ref));
  const FdRef parent = SBX_TRY(dir_fd(dir));
  const std::string fresh = upper_->work_name("c");
  Quota::Admission admission = SBX_TRY(Quota::admit_file(quota_.get()));
  const OverrideStat stat{attr.owner, attr.mode & 07777, S_IFDIR, 0};
  sys::Fd fd = SBX_TRY(upper_->make(upper_->work(), fresh.c_str(), stat, {}));
  const auto copied = [&]() -> FsResult<struct stat> {
    SBX_TRY(copy_xattrs(ref, fd.get()));
    SBX_TRY(upper_->set_origin(fd.get(), attr.ino));
    const struct timespec times[2] = {attr.atime, attr.mtime};
    SBX_TRY(sys::at::set_times(fd.get(), times));
    const struct stat made = SBX_TRY(sys::at::stat(fd.get()));
    const KeepTimes keep(parent->get());
    SBX_TRY(upper_->place(fresh.c_str(), parent->get(), name));
    return made;
  }
  ();
  if (!copied) {
    (void)sys::at::unlink(upper_->work(), fresh.c_str(), AT_REMOVEDIR);  // else the next start does
    return fail(copied.error());
  }
  const struct stat& host = *copied;
  admission.use(host);
  SBX_TRY(upper_->finish_dir(fd.get(), stat));
  Node& node = nodes_.add(NodeId(ref.get()));
  node.lower = LowerPin::of(*lower_, ref);
  node.ino = attr.ino;
  node.mode = attr.mode;
  node.owner = attr.owner;
  node.host_ino = host.st_ino;
  node.has_upper = true;
  node.index = std::make_unique<DirIndex>(attr.nlink >= 2 ? std::int64_t{attr.nlink} - 2 : -1);
  (void)fds_.put(node.id.get(), std::move(fd));
  add_link(node, dir, name);
  index->set_node(index->add(name, S_IFDIR), node, node.ino, S_IFDIR);
  return &node;
}

FsResult<Node*> Overlay::copy_up_file(LowerRef ref) noexcept {
  std::vector<Lower::Place> places = SBX_TRY(lower_->places(ref));
  const bool has_strangers = upper_->whole() && SBX_TRY(lower_->attr(ref)).nlink > places.size();
  const std::string fresh =
      places.size() > 1 ? Upper::linking_name(ref.get()) : upper_->work_name("c");
  Node& node = nodes_.add(NodeId(ref.get()));
  node.has_strangers = has_strangers;
  node.lower = LowerPin::of(*lower_, ref);
  auto copied = copy_file_to_work(ref, fresh, node);
  if (copied) {
    copied = place_copy(node, fresh, std::move(places));
    if (!copied) {
      discard_copy(node, fresh);
    }
  }
  if (!copied) {
    nodes_.erase(node);
    return fail(copied.error());
  }
  return &node;
}

void Overlay::discard_copy(const Node& node, const std::string& work_name) noexcept {
  (void)fds_.take(node.id.get());  // first: what is in use NFS does not remove
  const auto host = sys::at::stat(upper_->work(), work_name.c_str());
  if (!host || host->st_nlink > 1 || !sys::at::unlink(upper_->work(), work_name.c_str())) {
    return;  // names could not be taken back: the next start does it, and the file is counted until then
  }
  upper_->marks().forget(host->st_ino);
  if (quota_) {
    quota_->remove_file(*host);
  }
}

FsResult<void> Overlay::copy_xattrs(LowerRef ref, int fd) noexcept {
  for (const std::string& name : SBX_TRY(lower_->xattr_names(ref))) {
    if (!shows(name)) {
      continue;
    }
    const std::string disk = SBX_TRY(xattr_to_disk(name, xattr_form()));
    std::string value = SBX_TRY(lower_->xattr(ref, name));
    if (is_acl(name)) {
      value = acl_from_lower(value);
      if (value.empty()) {
        continue;
      }
    }
    const auto set = upper_->marks().set(fd, disk.c_str(), std::as_bytes(std::span(value)));
    // Capabilities as themselves are root's to give; who is not copies the file without, as cp(1) does. ACLs as
    // themselves are not everywhere.
    const bool optional = !set && !disk.starts_with("user.") &&
                          (set.error() == Errno(EPERM) || set.error() == Errno(EOPNOTSUPP));
    if (!set && !optional) {
      return set;
    }
  }
  return {};
}

FsResult<void> Overlay::copy_file_to_work(LowerRef ref, const std::string& work_name, Node& node,
                                          Number number) noexcept {
  const Attr attr = SBX_TRY(attr_of_lower(ref));
  const bool regular = S_ISREG(attr.mode);
  const std::string content = S_ISLNK(attr.mode) ? SBX_TRY(lower_->read_link(ref)) : std::string();
  const OverrideStat stat{attr.owner, attr.mode & 07777, attr.mode & S_IFMT, attr.rdev};
  Quota::Admission admission = SBX_TRY(Quota::admit_file(quota_.get()));
  sys::Fd fd = upper_->native()
                   ? SBX_TRY(upper_->make(upper_->work(), work_name.c_str(), stat, content))
                   : SBX_TRY(upper_->make_file(upper_->work(), work_name.c_str(), stat, content));
  const struct timespec times[2] = {attr.atime, attr.mtime};
  bool metacopy = regular && attr.size > 0;
  node.ino = attr.ino;
  const auto fill = [&]() -> FsResult<struct stat> {
    if (!fd.valid()) {
      SBX_TRY(sys::at::set_times(upper_->work(), work_name.c_str(), times));
      return sys::at::stat(upper_->work(), work_name.c_str());
    }
    if (metacopy) {
      SBX_TRY(sys::at::truncate(fd.get(), attr.size));
      const auto marked = upper_->set_metacopy(fd.get());
      if (!marked && upper_->native() && marked.error() == Errno(EOPNOTSUPP)) {
        SBX_TRY(lower_->copy_data(ref, fd.get(), attr.size));  // no attributes here: all at once
        metacopy = false;
      } else if (!marked) {
        return fail(marked.error());
      }
    }
    SBX_TRY(copy_xattrs(ref, fd.get()));
    const struct stat made = SBX_TRY(sys::at::stat(fd.get()));
    if (number == Number::kOwn) {
      node.ino = lower_->number_for_upper(made.st_dev, made.st_ino);
    }
    SBX_TRY(upper_->set_origin(fd.get(), node.ino));
    SBX_TRY(sys::at::set_times(fd.get(), times));
    return made;
  };
  const auto host = fill();
  if (!host) {
    (void)sys::at::unlink(upper_->work(), work_name.c_str());
    return fail(host.error());
  }
  admission.use(*host);
  node.mode = attr.mode;
  node.owner = attr.owner;
  node.rdev = attr.rdev;
  node.host_ino = host->st_ino;
  node.has_upper = true;
  node.metacopy = metacopy;
  node.below = attr.size;
  node.below_stored = true;
  node.by_name = !fd.valid();
  if (fd.valid()) {
    (void)fds_.put(node.id.get(), std::move(fd));
  }
  return {};
}

FsResult<void> Overlay::find_moved() noexcept {
  if (moved_known_) {
    return {};
  }
  struct Visit {
    Node* dir;
    bool loaded;  // by us, so nobody else uses it yet
  };
  std::vector<Visit> visits{{nodes_.find(kRootNode), false}};
  while (!visits.empty()) {
    const Visit visit = visits.back();
    visits.pop_back();
    DirIndex* index = SBX_TRY(index_of(*visit.dir, Access::kExclusive));
    std::uint64_t sequence = 0;
    while (IndexEntry* entry = index->after(sequence)) {
      sequence = entry->sequence;
      if (entry->directory) {
        const bool load = entry->node == nullptr;
        Node* child =
            load ? SBX_TRY(load_child(*visit.dir, *entry, Access::kExclusive)) : entry->node;
        child->children++;  // keeps it until its turn
        visits.push_back({child, load});
      }
    }
    visit.dir->children -= visit.dir->id == kRootNode ? 0U : 1U;
    if (visit.loaded) {
      drop_if_unused(visit.dir);
    }
  }
  moved_known_ = true;
  return {};
}

FsResult<std::vector<Overlay::Spot>> Overlay::free_spots(
    std::vector<Lower::Place> places) noexcept {
  if (places.size() > 1) {
    SBX_TRY(find_moved());
  }
  // A name that does not show any more (its directory is gone, something else lies there) gets no copy.
  std::vector<Spot> spots;
  for (Lower::Place& place : places) {
    const auto dir = copy_up_dir(place.dir);
    if (!dir) {
      if (dir.error() != Errno(ENOENT)) {
        return fail(dir.error());
      }
      continue;
    }
    DirIndex* index = SBX_TRY(index_of(**dir, Access::kExclusive));
    if (index->find(place.name) == nullptr) {
      spots.push_back({*dir, std::move(place.name)});
    }
  }
  return spots;
}

FsResult<void> Overlay::move_to_spots(const std::string& work_name,
                                      const std::vector<Spot>& spots) noexcept {
  const auto move = [&](const Spot& spot) -> FsResult<void> {
    const FdRef fd = SBX_TRY(dir_fd(*spot.dir));
    const KeepTimes keep(fd->get());
    // The name in the work directory goes with the last step: until then it tells that something is missing.
    return &spot == &spots.back()
               ? upper_->place(work_name.c_str(), fd->get(), spot.name)
               : sys::at::link(upper_->work(), work_name.c_str(), fd->get(), spot.name.c_str());
  };
  for (auto spot = spots.begin(); spot != spots.end(); ++spot) {
    const auto moved = move(*spot);
    if (moved) {
      continue;
    }
    while (spot != spots.begin()) {
      --spot;
      const FdRef fd = SBX_TRY(dir_fd(*spot->dir));
      const KeepTimes keep(fd->get());
      SBX_TRY(sys::at::unlink(fd->get(), spot->name.c_str()));
    }
    return moved;
  }
  return {};
}

FsResult<void> Overlay::place_copy(Node& node, const std::string& work_name,
                                   std::vector<Lower::Place> places) noexcept {
  const std::vector<Spot> spots = SBX_TRY(free_spots(std::move(places)));
  if (spots.empty()) {
    node.work_name = work_name;
    node.removed = true;
    return {};
  }
  SBX_TRY(move_to_spots(work_name, spots));
  for (const Spot& spot : spots) {
    DirIndex& index = *spot.dir->index;
    index.set_node(index.add(spot.name, node.mode & S_IFMT), node, node.ino, node.mode & S_IFMT);
    add_link(node, *spot.dir, spot.name);
  }
  if (spots.size() > 1) {
    nodes_.set_linked(node);
  }
  return {};
}

FsResult<void> Overlay::finish_linking(const std::string& work_name) noexcept {
  const auto stored = upper_->load(upper_->work(), work_name, false);
  const auto lower = stored ? lower_->by_number(stored->origin) : FsResult<LowerPin>(no(ENOENT));
  const auto below = lower ? lower_->attr(lower->ref()) : FsResult<Attr>(no(ENOENT));
  if (!below || below->is_dir() || (below->mode & S_IFMT) != (stored->mode & S_IFMT)) {
    // Nobody knows what other names it had (a directory of the host), or it is damaged.
    return sys::at::unlink(upper_->work(), work_name.c_str());
  }
  const std::vector<Lower::Place> places = SBX_TRY(lower_->places(lower->ref()));
  const auto finished = [&]() -> FsResult<void> {
    const std::vector<Spot> spots = SBX_TRY(free_spots(places));
    if (spots.empty()) {
      return sys::at::unlink(upper_->work(), work_name.c_str());
    }
    SBX_TRY(move_to_spots(work_name, spots));
    for (const Spot& spot : spots) {
      DirIndex& index = *spot.dir->index;
      index.set_kind(index.add(spot.name, below->mode & S_IFMT), false);
    }
    return {};
  }();
  return finished ? finished : undo_linking(work_name, stored->host.st_ino, places);
}

/// Nothing was changed in the file yet, as whoever wanted that waited for its names: the lower one may show again.
FsResult<void> Overlay::undo_linking(const std::string& work_name, std::uint64_t host_ino,
                                     const std::vector<Lower::Place>& places) noexcept {
  for (const Lower::Place& place : places) {
    const auto dir = copy_up_dir(place.dir);
    if (!dir && dir.error() == Errno(ENOENT)) {
      continue;
    }
    Node& parent = *SBX_TRY(dir);
    DirIndex& index = *SBX_TRY(index_of(parent, Access::kExclusive));
    const FdRef fd = SBX_TRY(dir_fd(parent));
    IndexEntry* entry = index.find(place.name);
    const auto host = entry != nullptr ? sys::at::stat(fd->get(), place.name.c_str())
                                       : FsResult<struct stat>(no(ENOENT));
    if (host && host->st_ino == host_ino) {
      const KeepTimes keep(fd->get());
      SBX_TRY(sys::at::unlink(fd->get(), place.name.c_str()));
      index.erase(*entry);
    }
  }
  SBX_TRY(sys::at::unlink(upper_->work(), work_name.c_str()));
  upper_->marks().forget(host_ino);
  return {};
}

}  // namespace sbx::overlay
