#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sbx::layer {

/// Names of a tree while it is built: nodes found by (parent, name) through one hash table and walked as
/// sibling lists. Names come from outside, so the hash is keyed (SipHash): nobody can prepare
/// names that collide.
class NodeTable {
 public:
  using Id = std::uint32_t;
  static constexpr Id kNone = UINT32_MAX;
  static constexpr Id kRoot = 0;

  struct Node {
    Id parent = kNone;
    Id first_child = kNone;
    Id next = kNone;  // siblings
    Id previous = kNone;
    Id hash_next = kNone;
    std::uint32_t name = 0;  // offset
    std::uint32_t name_size = 0;
    std::uint32_t inode = 0;  // the caller's
    std::uint32_t layer = 0;  // the caller's: which layer gave this name
    std::uint32_t depth = 0;  // of the root 0
  };

  /// A tree of its root.
  NodeTable();

  [[nodiscard]] Id find(Id parent, std::string_view name) const;
  /// `name` must not be there yet. Ids of removed nodes are not used again.
  Id add(Id parent, std::string_view name);
  /// Unlinks one node without children.
  void remove_leaf(Id id);
  /// A node below `top` (or `top` itself) that has no children: the next one to remove.
  [[nodiscard]] Id deepest_first(Id top) const;

  [[nodiscard]] Node& node(Id id) { return nodes_[id]; }
  [[nodiscard]] const Node& node(Id id) const { return nodes_[id]; }
  [[nodiscard]] std::string_view name(Id id) const {
    return std::string_view(names_).substr(nodes_[id].name, nodes_[id].name_size);
  }
  [[nodiscard]] std::size_t live() const { return live_; }

 private:
  [[nodiscard]] std::size_t bucket(Id parent, std::string_view name) const;
  void grow();

  std::vector<Node> nodes_;
  std::vector<Id> buckets_;
  std::string names_;
  std::array<std::uint64_t, 2> key_{};
  std::size_t live_ = 1;
};

}  // namespace sbx::layer
