#include "layer/node_table.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <numeric>
#include <random>

using sbx::layer::NodeTable;

TEST_CASE("nodes are found by parent and name, and no more once removed") {
  NodeTable table;
  const auto a = table.add(NodeTable::kRoot, "a");
  const auto b = table.add(a, "a");
  CHECK(table.find(NodeTable::kRoot, "a") == a);
  CHECK(table.find(a, "a") == b);
  CHECK(table.find(b, "a") == NodeTable::kNone);
  CHECK(table.node(b).depth == 2);
  CHECK(table.deepest_first(NodeTable::kRoot) == b);
  table.remove_leaf(b);
  CHECK(table.find(a, "a") == NodeTable::kNone);
  CHECK(table.node(a).first_child == NodeTable::kNone);
}

TEST_CASE("ten thousand names, a third of them removed") {
  NodeTable table;
  std::map<std::string, NodeTable::Id> there;
  std::mt19937 random(1);
  for (int i = 0; i < 10'000; ++i) {
    const std::string name = "n" + std::to_string(i);
    there[name] = table.add(NodeTable::kRoot, name);
  }
  for (auto it = there.begin(); it != there.end();) {
    if (random() % 3 == 0) {
      table.remove_leaf(it->second);
      it = there.erase(it);
    } else {
      ++it;
    }
  }
  CHECK(table.live() == there.size() + 1);
  CHECK(table.name_bytes() == std::accumulate(there.begin(), there.end(), std::uint64_t{0},
                                              [](std::uint64_t sum, const auto& each) {
                                                return sum + each.first.size();
                                              }));
  std::size_t listed = 0;
  for (auto id = table.node(NodeTable::kRoot).first_child; id != NodeTable::kNone;
       id = table.node(id).next) {
    CHECK(there.at(std::string(table.name(id))) == id);
    ++listed;
  }
  CHECK(listed == there.size());
  for (const auto& [name, id] : there) {
    REQUIRE(table.find(NodeTable::kRoot, name) == id);
  }
}
