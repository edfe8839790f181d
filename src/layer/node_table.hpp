#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "layer/chunked_vector.hpp"
#include "layer/text_pool.hpp"

namespace sbx::layer {

/// Names of a tree while it is built: nodes found by (parent, name) through one hash table and walked as
/// sibling lists. Names come from outside, so the hash is keyed (SipHash): nobody can prepare
/// names that collide.
class NodeTable {
 public:
  using Id = std::uint32_t;
  static constexpr Id kNone = UINT32_MAX;
  static constexpr Id kRoot = 0;

  static constexpr unsigned kLayerBits = 13;

  struct Node {
    Id parent = kNone;
    Id first_child = kNone;
    Id next = kNone;  // siblings
    Id previous = kNone;
    Id hash_next = kNone;
    std::uint32_t name = 0;                // in the pool
    std::uint32_t inode = 0;               // the caller's
    std::uint32_t name_size : 8 = 0;       // kMaxName
    std::uint32_t depth : 11 = 0;          // of the root 0; kMaxDepth
    std::uint32_t layer : kLayerBits = 0;  // the caller's: which layer gave this name
  };
  static_assert(sizeof(Node) == 32);

  /// A tree of its root.
  NodeTable();

  [[nodiscard]] Id find(Id parent, std::string_view name) const;
  /// `name` must not be there yet, nor be longer than kMaxName; the parent less deep than kMaxDepth. Ids of removed nodes are not
  /// used again.
  Id add(Id parent, std::string_view name);
  /// Unlinks one node without children.
  void remove_leaf(Id id);
  /// A node below `top` (or `top` itself) that has no children: the next one to remove.
  [[nodiscard]] Id deepest_first(Id top) const;

  [[nodiscard]] Node& node(Id id) { return nodes_[id]; }
  [[nodiscard]] const Node& node(Id id) const { return nodes_[id]; }
  [[nodiscard]] std::string_view name(Id id) const {
    return names_.get(nodes_[id].name, nodes_[id].name_size);
  }
  [[nodiscard]] std::size_t live() const { return live_; }
  /// Of the names that are not removed.
  [[nodiscard]] std::uint64_t name_bytes() const { return name_bytes_; }

 private:
  [[nodiscard]] std::size_t bucket(Id parent, std::string_view name) const;
  void grow();

  ChunkedVector<Node> nodes_;
  std::vector<Id> buckets_;
  TextPool names_;
  std::array<std::uint64_t, 2> key_{};
  std::size_t live_ = 1;
  std::uint64_t name_bytes_ = 0;
};

}  // namespace sbx::layer
