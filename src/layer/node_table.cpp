#include "layer/node_table.hpp"

#include <bit>
#include <cstring>
#include <random>

#include "base/assert.hpp"
#include "layer/limits.hpp"

namespace sbx::layer {
namespace {

constexpr std::size_t kFirstBuckets = 1024;

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
};

/// SipHash-1-3 (Aumasson and Bernstein, 2012) of `seed` and the bytes of `text`.
std::uint64_t siphash(const std::array<std::uint64_t, 2>& key, std::uint64_t seed,
                      std::string_view text) {
  SipState s{key[0] ^ 0x736f6d6570736575U, key[1] ^ 0x646f72616e646f6dU,
             key[0] ^ 0x6c7967656e657261U, key[1] ^ 0x7465646279746573U};
  s.absorb(seed);
  std::uint64_t last = static_cast<std::uint64_t>(text.size()) << 56U;
  for (; text.size() >= 8; text.remove_prefix(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    s.absorb(word);
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    last |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[i])) << (8 * i);
  }
  s.absorb(last);
  s.v2 ^= 0xff;
  s.round();
  s.round();
  s.round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace

NodeTable::NodeTable() : buckets_(kFirstBuckets, kNone) {
  std::random_device random;
  for (std::uint64_t& half : key_) {
    half = (static_cast<std::uint64_t>(random()) << 32U) | random();
  }
  Node root;
  root.parent = kRoot;
  nodes_.push_back(root);
}

std::size_t NodeTable::bucket(Id parent, std::string_view name) const {
  return siphash(key_, parent, name) & (buckets_.size() - 1);  // a power of two
}

NodeTable::Id NodeTable::find(Id parent, std::string_view name) const {
  Id id = buckets_[bucket(parent, name)];
  while (id != kNone && (nodes_[id].parent != parent || this->name(id) != name)) {
    id = nodes_[id].hash_next;
  }
  return id;
}

NodeTable::Id NodeTable::add(Id parent, std::string_view name) {
  if (live_ >= buckets_.size()) {
    grow();
  }
  SBX_ASSERT(name.size() <= kMaxName && nodes_[parent].depth < kMaxDepth);
  const Id id = static_cast<Id>(nodes_.size());
  Id& head = buckets_[bucket(parent, name)];
  Node node;
  node.parent = parent;
  node.next = nodes_[parent].first_child;
  node.depth = (nodes_[parent].depth + 1U) & 0x7FFU;
  node.hash_next = head;
  node.name = names_.add(name);
  node.name_size = name.size() & 0xFFU;
  nodes_.push_back(node);
  head = id;
  if (node.next != kNone) {
    nodes_[node.next].previous = id;
  }
  nodes_[parent].first_child = id;
  ++live_;
  name_bytes_ += name.size();
  return id;
}

void NodeTable::remove_leaf(Id id) {
  const Node& node = nodes_[id];
  Id* link = &buckets_[bucket(node.parent, name(id))];
  while (*link != id) {
    link = &nodes_[*link].hash_next;
  }
  *link = node.hash_next;
  if (node.previous != kNone) {
    nodes_[node.previous].next = node.next;
  } else {
    nodes_[node.parent].first_child = node.next;
  }
  if (node.next != kNone) {
    nodes_[node.next].previous = node.previous;
  }
  --live_;
  name_bytes_ -= node.name_size;
}

NodeTable::Id NodeTable::deepest_first(Id top) const {
  while (nodes_[top].first_child != kNone) {
    top = nodes_[top].first_child;
  }
  return top;
}

void NodeTable::grow() {
  std::vector<Id> all;
  all.reserve(live_);
  for (const Id head : buckets_) {
    for (Id id = head; id != kNone; id = nodes_[id].hash_next) {
      all.push_back(id);
    }
  }
  buckets_.assign(buckets_.size() * 2, kNone);
  for (const Id id : all) {
    Id& head = buckets_[bucket(nodes_[id].parent, name(id))];
    nodes_[id].hash_next = head;
    head = id;
  }
}

}  // namespace sbx::layer
