// The bookkeeping of LowerDir: which nodes are known, by which names. No system calls here.

#include <limits.h>

#include <algorithm>

#include "overlay/core/lower_dir.hpp"

namespace sbx::overlay {

std::size_t LowerDir::PlaceHash::operator()(const PlaceKey& key) const noexcept {
  return std::hash<std::string>{}(key.second) ^ (key.first * 0x9e3779b97f4a7c15ULL);
}

LowerDir::Slot* LowerDir::slot(LowerRef ref) noexcept {
  if (ref.get() == 0 || ref.get() >= slots_.size() || !slots_[ref.get()].used) {
    return nullptr;
  }
  return &slots_[ref.get()];
}

bool LowerDir::same(const Slot& known, const struct stat& st, std::uint32_t layers) const noexcept {
  if (known.device != st.st_dev || known.ino != st.st_ino || known.layers != layers ||
      known.type != (st.st_mode & S_IFMT)) {
    return false;
  }
  // A directory stays the same one whatever is created in it.
  return !options_.live || S_ISDIR(st.st_mode) ||
         (known.changed.tv_sec == st.st_ctim.tv_sec && known.changed.tv_nsec == st.st_ctim.tv_nsec);
}

std::uint32_t LowerDir::intern_layers(const LayerSet& layers) {
  const auto [known, fresh] =
      layer_set_index_.emplace(layers, static_cast<std::uint32_t>(layer_sets_.size()));
  if (fresh) {
    layer_sets_.push_back(layers);
  }
  return known->second;
}

LowerRef LowerDir::intern(LowerRef dir, std::string_view name, const Seen& seen) {
  const struct stat& st = seen.st;
  const std::uint32_t layers = intern_layers(seen.layers);
  const PlaceKey key(dir.get(), std::string(name));
  if (const auto known = by_place_.find(key); known != by_place_.end()) {
    const LowerRef ref(known->second);
    if (same(*slot(ref), st, layers)) {
      return ref;
    }
    detach(ref);
  }
  const bool linked = !S_ISDIR(st.st_mode) && st.st_nlink > 1;
  if (linked) {
    const auto known = linked_.find({st.st_dev, st.st_ino});
    if (known != linked_.end() && same(slots_[known->second], st, layers)) {
      slots_[known->second].places.push_back({dir, key.second});
      slot(dir)->pins++;
      by_place_.emplace(key, known->second);
      return LowerRef(known->second);
    }
  }
  std::uint64_t index = slots_.size();
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& made = slots_[index];
  made.places.push_back({dir, key.second});
  made.device = st.st_dev;
  made.ino = st.st_ino;
  made.changed = st.st_ctim;
  made.type = st.st_mode & S_IFMT;
  made.layers = layers;
  made.used = true;
  made.excluded = S_ISDIR(st.st_mode) && is_excluded(dir, name);
  slot(dir)->pins++;
  by_place_.emplace(key, index);
  if (linked) {
    linked_[{st.st_dev, st.st_ino}] = index;
  }
  return LowerRef(index);
}

void LowerDir::detach(LowerRef ref) {
  const Slot& known = slots_[ref.get()];
  for (const Place& place : known.places) {
    const auto found = by_place_.find({place.dir.get(), place.name});
    if (found != by_place_.end() && found->second == ref.get()) {
      by_place_.erase(found);
    }
  }
  const auto found = linked_.find({known.device, known.ino});
  if (found != linked_.end() && found->second == ref.get()) {
    linked_.erase(found);
  }
}

void LowerDir::release_if_unused(LowerRef ref) noexcept {
  std::vector<LowerRef> candidates{ref};
  while (!candidates.empty()) {
    const LowerRef next = candidates.back();
    candidates.pop_back();
    Slot* known = slot(next);
    if (known == nullptr || known->pins > 0 || known->lookups > 0) {
      continue;
    }
    detach(next);
    for (const Place& place : known->places) {
      slots_[place.dir.get()].pins--;
      candidates.push_back(place.dir);
    }
    for (const InLayer& in : layer_sets_[known->layers]) {
      (void)fds_.take(fd_key(next, in.layer));  // the ref will mean another file
    }
    *known = Slot{};
    free_.push_back(next.get());
    listings_.erase(next.get());
  }
}

FsResult<std::string> LowerDir::path_of(LowerRef ref) noexcept {
  if (slot(ref) == nullptr) {
    return no(ESTALE);
  }
  std::vector<const std::string*> parts;
  std::size_t length = 0;
  while (ref != kLowerRoot) {
    const Slot& known = slots_[ref.get()];
    parts.push_back(&known.places.front().name);
    length += parts.back()->size() + 1;
    ref = known.places.front().dir;
  }
  if (parts.empty()) {
    return std::string(".");
  }
  if (length > PATH_MAX) {
    return no(ENAMETOOLONG);
  }
  std::string path;
  path.reserve(length);
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    path.append(path.empty() ? "" : "/").append(**part);
  }
  return path;
}

bool LowerDir::is_excluded(LowerRef dir, std::string_view name) noexcept {
  if (options_.exclude.empty()) {
    return false;
  }
  const auto parent = path_of(dir);
  if (!parent) {
    return false;
  }
  const std::string path = (*parent == "." ? std::string() : *parent + "/").append(name);
  return std::ranges::find(options_.exclude, path) != options_.exclude.end();
}

void LowerDir::pin(LowerRef ref) noexcept {
  const std::lock_guard lock(mutex_);
  if (Slot* known = slot(ref)) {
    known->pins++;
  }
}

void LowerDir::unpin(LowerRef ref) noexcept {
  const std::lock_guard lock(mutex_);
  if (Slot* known = slot(ref); known != nullptr && known->pins > 0) {
    known->pins--;
    release_if_unused(ref);
  }
}

void LowerDir::add_lookups(LowerRef ref, std::uint64_t count) noexcept {
  const std::lock_guard lock(mutex_);
  if (Slot* known = slot(ref)) {
    known->lookups += count;
  }
}

std::uint64_t LowerDir::drop_lookups(LowerRef ref, std::uint64_t count) noexcept {
  const std::lock_guard lock(mutex_);
  Slot* known = slot(ref);
  if (known == nullptr) {
    return 0;
  }
  known->lookups -= std::min(known->lookups, count);
  const std::uint64_t left = known->lookups;
  release_if_unused(ref);
  return left;
}

std::uint64_t LowerDir::lookups(LowerRef ref) noexcept {
  const std::lock_guard lock(mutex_);
  const Slot* known = slot(ref);
  return known == nullptr ? 0 : known->lookups;
}

bool LowerDir::valid(LowerRef ref) noexcept {
  const std::lock_guard lock(mutex_);
  return slot(ref) != nullptr;
}

}  // namespace sbx::overlay
