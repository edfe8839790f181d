#include "overlay/core/dir_index.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace sbx::overlay {

IndexEntry* DirIndex::find(std::string_view name) {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

const IndexEntry* DirIndex::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

IndexEntry& DirIndex::add(std::string_view name, std::uint32_t lower_type) {
  if (entries_.size() > 2 * by_name_.size() + 16) {
    compact();
  }
  IndexEntry& entry = entries_.emplace_back();
  entry.name = name;
  entry.sequence = next_sequence_++;
  entry.in_lower = lower_type != 0;
  entry.hides_dir = lower_type == S_IFDIR;
  hidden_dirs_ += entry.hides_dir ? 1 : 0;
  by_name_.emplace(entry.name, &entry);
  return entry;
}

void DirIndex::set_whiteout(IndexEntry& entry) {
  whiteouts_ += entry.whiteout ? 0 : 1;
  set_kind(entry, false);
  entry.whiteout = true;
  entry.node = nullptr;
  entry.ino = 0;
  entry.type = 0;
}

void DirIndex::set_node(IndexEntry& entry, Node& node, std::uint64_t ino, std::uint32_t type) {
  whiteouts_ -= entry.whiteout ? 1 : 0;
  set_kind(entry, type == S_IFDIR);
  entry.whiteout = false;
  entry.node = &node;
  entry.ino = ino;
  entry.type = type;
}

void DirIndex::set_kind(IndexEntry& entry, bool directory) {
  upper_dirs_ += directory ? 1 : 0;
  upper_dirs_ -= entry.directory ? 1 : 0;
  entry.directory = directory;
}

void DirIndex::erase(IndexEntry& entry) {
  whiteouts_ -= entry.whiteout ? 1 : 0;
  hidden_dirs_ -= entry.hides_dir ? 1 : 0;
  set_kind(entry, false);
  by_name_.erase(entry.name);
  entry.gone = true;
  entry.node = nullptr;
}

IndexEntry* DirIndex::after(std::uint64_t sequence) {
  auto found = std::upper_bound(
      entries_.begin(), entries_.end(), sequence,
      [](std::uint64_t value, const IndexEntry& entry) { return value < entry.sequence; });
  while (found != entries_.end() && found->gone) {
    ++found;
  }
  return found == entries_.end() ? nullptr : &*found;
}

void DirIndex::compact() {
  std::erase_if(entries_, [](const IndexEntry& entry) { return entry.gone; });
  by_name_.clear();
  for (IndexEntry& entry : entries_) {
    by_name_.emplace(entry.name, &entry);
  }
}

}  // namespace sbx::overlay
