#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <set>

#include "../fixture.hpp"
#include "../memory_lower.hpp"

namespace sbx::overlay::test {

namespace {

Model wide_tree() {
  Model model;
  for (int i = 0; i < 100; ++i) {
    (void)Model::create(*model.root(), "lower" + std::to_string(i),
                        make_model_node(S_IFREG | 0644, {}, "x"));
  }
  return model;
}

/// Takes a few entries and remembers where to go on.
class Window final : public DirSink {
 public:
  bool take(std::string_view name, const Entry&, std::uint64_t next) override {
    if (names.size() == 10) {
      return false;
    }
    names.emplace_back(name);
    offset = next;
    return true;
  }
  void restart() override { names.clear(); }
  std::vector<std::string> names;
  std::uint64_t offset = 0;
};

}  // namespace

TEST_CASE("a listing survives copy-up, creation and removal half-way", "[dir_stream]") {
  const Scratch scratch;
  auto overlay = make_overlay(scratch, std::make_unique<MemoryLower>(wide_tree()));
  for (int i = 0; i < 50; ++i) {
    const auto made =
        overlay->make_node(kRootNode, "upper" + std::to_string(i), S_IFREG | 0644, 0, {});
    REQUIRE(made);
    overlay->forget(made->id, 1);
  }
  std::multiset<std::string> seen;
  std::uint64_t offset = 0;
  for (int round = 0;; ++round) {
    Window window;
    REQUIRE(overlay->list(kRootNode, offset, ListKind::kPlain, window));
    if (window.names.empty()) {
      break;
    }
    offset = window.offset;
    seen.insert(window.names.begin(), window.names.end());
    // What was just listed, and something further on, is copied up; and new names come.
    for (const std::string& name : {window.names.back(), "lower" + std::to_string(99 - round)}) {
      if (auto held = walk(*overlay, {name}); held && name[0] == 'l') {
        AttrChange change;
        change.set_mode = true;
        change.mode = 0600;
        CHECK(overlay->set_attr(held->id(), change));
      }
    }
    (void)overlay->unlink(kRootNode, "upper" + std::to_string(round));
  }
  for (int i = 0; i < 100; ++i) {
    CHECK(seen.count("lower" + std::to_string(i)) == 1);
  }
  for (int i = 20; i < 50; ++i) {
    CHECK(seen.count("upper" + std::to_string(i)) == 1);
  }
}

TEST_CASE("a removed directory that is still read is empty", "[dir_stream]") {
  const Scratch scratch;
  auto overlay = make_overlay(scratch, std::make_unique<MemoryLower>(Model()));
  const auto dir = overlay->make_dir(kRootNode, "d", 0755, {});
  REQUIRE(overlay->remove_dir(kRootNode, "d"));
  CHECK(list_all(*overlay, dir->id, ListKind::kPlain).empty());
  CHECK(overlay->get_attr(dir->id).value().nlink == 0);
  CHECK(overlay->make_node(dir->id, "x", S_IFREG, 0, {}).error() == Errno(ENOENT));
  overlay->forget(dir->id, 1);
  CHECK(overlay->node_count() == 1);
}

}  // namespace sbx::overlay::test
