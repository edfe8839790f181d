// Many threads at once on one Overlay. What each one sees of its own files must be right; the rest is for
// ThreadSanitizer and AddressSanitizer.

#include <linux/fs.h>
#include <sys/stat.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <random>
#include <thread>

#include "../fixture.hpp"
#include "../memory_lower.hpp"

namespace sbx::overlay::test {

namespace {

constexpr int kThreads = 4;

Model some_tree() {
  Model model;
  for (const char* dir : {"a", "b", "c"}) {
    const ModelRef node = make_model_node(S_IFDIR | 0755);
    (void)Model::create(*model.root(), dir, node);
    for (int i = 0; i < 8; ++i) {
      (void)Model::create(*node, "f" + std::to_string(i),
                          make_model_node(S_IFREG | 0644, {}, std::string(5000, 'x')));
    }
  }
  return model;
}

/// Anything, anywhere; results do not matter.
void churn(Overlay& overlay, unsigned seed, int rounds) {
  std::mt19937 random(seed);
  const auto pick = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
  };
  const auto dir = [&] { return Path{std::string(1, static_cast<char>('a' + pick(3)))}; };
  const auto name = [&] { return "f" + std::to_string(pick(10)); };
  for (int i = 0; i < rounds; ++i) {
    auto in = walk(overlay, dir());
    auto to = walk(overlay, dir());
    if (!in || !to) {
      continue;
    }
    const Entry found = overlay.lookup(in->id(), name()).value_or(Entry{});
    const std::string data(pick(3000), 'y');
    AttrChange change;
    change.set_mode = true;
    change.mode = 0600;
    switch (pick(8)) {
      case 0:
        (void)overlay.unlink(in->id(), name());
        break;
      case 1:
        (void)overlay.rename(in->id(), name(), to->id(), name(),
                             pick(2) == 0 ? 0 : RENAME_EXCHANGE);
        break;
      case 2:
        if (const auto made = overlay.make_node(in->id(), name(), S_IFREG | 0644, 0, {})) {
          overlay.forget(made->id, 1);
        }
        break;
      case 3:
        (void)overlay.write(found.id, pick(6000), std::as_bytes(std::span(data)), false);
        break;
      case 4:
        (void)overlay.set_attr(found.id, change);
        break;
      case 5:
        (void)read_all(overlay, found.id);
        break;
      case 6:
        if (const auto made = overlay.link(found.id, to->id(), name())) {
          overlay.forget(made->id, 1);
        }
        break;
      default:
        (void)list_all(overlay, in->id(),
                       pick(2) == 0 ? ListKind::kPlain : ListKind::kWithAttributes);
    }
    if (found.id != NodeId(0)) {
      overlay.forget(found.id, 1);
    }
  }
}

}  // namespace

TEST_CASE("threads that do anything to the same files break nothing", "[threads]") {
  const Scratch scratch;
  auto overlay = make_overlay(scratch, std::make_unique<MemoryLower>(some_tree()));
  {
    std::vector<std::jthread> threads;
    for (unsigned seed = 0; seed < kThreads; ++seed) {
      threads.emplace_back([&overlay, seed] { churn(*overlay, seed, 400); });
    }
  }
  // Only the root is left: everything was forgotten.
  CHECK(overlay->node_count() == 1);
}

TEST_CASE("each thread finds its own files as it made them", "[threads]") {
  const Scratch scratch;
  auto overlay = make_overlay(scratch, std::make_unique<MemoryLower>(some_tree()));
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        const std::string text(4000, static_cast<char>('A' + t));
        for (int i = 0; i < 100; ++i) {
          auto dir = walk(*overlay, {"a"});
          const std::string name = "own" + std::to_string(t) + "." + std::to_string(i);
          const auto made = overlay->make_node(dir->id(), name, S_IFREG | 0644, 0, {});
          const bool good =
              made && overlay->write(made->id, 0, std::as_bytes(std::span(text)), false) &&
              read_all(*overlay, made->id) == text && overlay->unlink(dir->id(), name) &&
              read_all(*overlay, made->id) == text &&
              overlay->get_attr(made->id).value().nlink == 0;
          wrong += good ? 0 : 1;
          overlay->forget(made->id, 1);
        }
      });
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("a file that several threads write at once is copied up once", "[threads]") {
  const Scratch scratch;
  auto overlay = make_overlay(scratch, std::make_unique<MemoryLower>(some_tree()));
  auto file = walk(*overlay, {"a", "f0"});
  REQUIRE(file);
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        const std::string text(100, static_cast<char>('A' + t));
        (void)overlay->write(file->id(), t * 1000, std::as_bytes(std::span(text)), false);
      });
    }
  }
  std::string wanted(5000, 'x');
  for (unsigned t = 0; t < kThreads; ++t) {
    wanted.replace(t * 1000, 100, std::string(100, static_cast<char>('A' + t)));
  }
  CHECK(read_all(*overlay, file->id()) == wanted);
}

}  // namespace sbx::overlay::test
