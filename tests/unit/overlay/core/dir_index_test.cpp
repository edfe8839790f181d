#include "overlay/core/dir_index.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <string>

#include "overlay/core/node_table.hpp"

namespace sbx::overlay {

TEST_CASE("an entry keeps its place whatever goes and comes", "[dir_index]") {
  DirIndex index(0);
  for (int i = 0; i < 1000; ++i) {
    (void)index.add("name" + std::to_string(i), 0);
  }
  const std::uint64_t place = index.find("name500")->sequence;
  for (int i = 0; i < 1000; ++i) {
    if (i != 500) {
      index.erase(*index.find("name" + std::to_string(i)));
    }
  }
  for (int i = 0; i < 100; ++i) {  // makes it compact itself
    (void)index.add("later" + std::to_string(i), 0);
  }
  CHECK(index.find("name500")->sequence == place);
  CHECK(index.after(0)->name == "name500");
  CHECK(index.after(place)->name == "later0");
  CHECK(index.visible() == 101);
  CHECK(index.find("name1") == nullptr);
}

TEST_CASE("subdirectories are counted across both trees", "[dir_index]") {
  Node node;
  DirIndex index(3);
  CHECK(index.subdirs() == 3);
  index.set_node(index.add("new", 0), node, 1, S_IFDIR);
  CHECK(index.subdirs() == 4);
  IndexEntry& over = index.add("copied", S_IFDIR);
  index.set_node(over, node, 2, S_IFDIR);
  CHECK(index.subdirs() == 4);
  index.set_whiteout(over);
  CHECK(index.subdirs() == 3);
  CHECK(index.has_whiteouts());
  index.set_node(over, node, 3, S_IFREG);
  CHECK(index.subdirs() == 3);
  CHECK_FALSE(index.has_whiteouts());
  CHECK(DirIndex(-1).subdirs() < 0);
}

}  // namespace sbx::overlay
