#include "overlay/core/node_table.hpp"

namespace sbx::overlay {

Node* NodeTable::find(NodeId id) const {
  const auto found = nodes_.find(id.get());
  return found == nodes_.end() ? nullptr : found->second.get();
}

Node& NodeTable::add(NodeId id) {
  auto& place = nodes_[id.get()];
  SBX_ASSERT(place == nullptr);
  place = std::make_unique<Node>();
  place->id = id;
  return *place;
}

void NodeTable::erase(Node& node) {
  const auto linked = linked_.find(node.host_ino);
  if (linked != linked_.end() && linked->second == &node) {
    linked_.erase(linked);
  }
  nodes_.erase(node.id.get());
}

Node* NodeTable::find_linked(std::uint64_t host_ino) const {
  const auto found = linked_.find(host_ino);
  return found == linked_.end() ? nullptr : found->second;
}

}  // namespace sbx::overlay
