// Hard-linked files get all their names or none, also if a server was killed between them (../kill_test.cpp kills some).

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "../fixture.hpp"
#include "../memory_lower.hpp"
#include "overlay/core/lower_dir.hpp"

namespace sbx::overlay::test {

namespace {

/// a/one, a/sub/two and b/three are one file.
Model linked_tree() {
  Model model;
  const auto dir = [](ModelNode& in, const char* name) {
    const ModelRef made = make_model_node(S_IFDIR | 0755, {});
    (void)Model::create(in, name, made);
    return made;
  };
  const ModelRef a = dir(*model.root(), "a");
  const ModelRef b = dir(*model.root(), "b");
  const ModelRef sub = dir(*a, "sub");
  const ModelRef file = make_model_node(S_IFREG | 0644, {}, "content");
  (void)Model::create(*a, "one", file);
  (void)Model::link(file, *sub, "two");
  (void)Model::link(file, *b, "three");
  return model;
}

FsResult<Attr> chmod(Overlay& overlay, const char* path) {
  const Held file = SBX_TRY(walk(overlay, path_of(path)));
  AttrChange wish;
  wish.set_mode = true;
  wish.mode = 0700;
  return overlay.set_attr(file.id(), wish);
}

Attr attr_of(Overlay& overlay, const char* path) {
  const auto file = walk(overlay, path_of(path));
  REQUIRE(file);
  return overlay.get_attr(file->id()).value();
}

struct Tree {
  explicit Tree(UpperForm form = UpperForm::kOwn) : form_(form) {}
  std::unique_ptr<Overlay> open() {
    Upper::Options wish;
    wish.form = form_;
    wish.ignore_owners = true;
    wish.allowed = UpperKind::of_environment().allowed;
    auto upper = Upper::open(scratch.dir("upper"), scratch.dir("work"), wish);
    REQUIRE(upper);
    return make_overlay(std::move(*upper), std::make_unique<MemoryLower>(linked_tree()));
  }
  [[nodiscard]] std::string at(const std::string& path) const {
    return scratch.path() + "/" + path;
  }
  /// The inode number of a path on disk; 0 if nothing is there.
  [[nodiscard]] ino_t number(const std::string& path) const {
    struct stat st {};
    return ::lstat(at(path).c_str(), &st) == 0 ? st.st_ino : 0;
  }
  /// As who was killed leaves it: the file has its name in the work directory yet, and lacks some.
  void lose(const std::string& kept, const std::vector<std::string>& lost) const {
    REQUIRE(::link(at(kept).c_str(), at("work/linking-5").c_str()) == 0);
    for (const std::string& path : lost) {
      REQUIRE(::unlink(at(path).c_str()) == 0);
    }
  }

  Scratch scratch;

 private:
  UpperForm form_;
};

}  // namespace

TEST_CASE("a hard-linked file that lacks names gets them at the next start") {
  std::vector<UpperForm> forms{UpperForm::kOwn};
  if (UpperKind::of_environment().allowed.xattrs) {
    forms.insert(forms.end(), {UpperForm::kOverride, UpperForm::kNative});
  }
  for (const UpperForm form : forms) {
    for (const std::vector<std::string>& lost :
         {std::vector<std::string>{"upper/a/one", "upper/a/sub/two"},
          std::vector<std::string>{"upper/a/one"}, std::vector<std::string>{}}) {
      Tree tree(form);
      REQUIRE(chmod(*tree.open(), "a/one"));
      const ino_t number = tree.number("upper/b/three");
      REQUIRE(number != 0);
      REQUIRE(tree.number("upper/a/one") == number);
      tree.lose("upper/b/three", lost);
      const auto overlay = tree.open();
      CHECK(tree.number("upper/a/one") == number);
      CHECK(tree.number("upper/a/sub/two") == number);
      CHECK(tree.number("upper/b/three") == number);
      CHECK(tree.number("work/linking-5") == 0);
      for (const char* path : {"a/one", "a/sub/two", "b/three"}) {
        CHECK(attr_of(*overlay, path).nlink == 3);
        CHECK((attr_of(*overlay, path).mode & 07777) == 0700);
      }
    }
  }
}

TEST_CASE("a name that does not show any more is not given back") {
  Tree tree;
  {
    const auto overlay = tree.open();
    const Held b = walk(*overlay, path_of("b")).value();
    REQUIRE(overlay->unlink(b.id(), "three"));
  }
  tree.lose("upper/a/one", {"upper/a/sub/two"});
  const auto overlay = tree.open();
  CHECK(attr_of(*overlay, "a/sub/two").nlink == 2);
  CHECK(walk(*overlay, path_of("b/three")).error() == Errno(ENOENT));
  CHECK(tree.number("upper/a/sub/two") == tree.number("upper/a/one"));
}

TEST_CASE("a hard-linked file whose names cannot all be made stays in the lower tree") {
  Tree tree;
  const auto overlay = tree.open();
  REQUIRE(chmod(*overlay, "a"));
  REQUIRE(chmod(*overlay, "a/sub"));
  REQUIRE(chmod(*overlay, "b"));
  // Not by way of the overlay, which keeps in mind what is in a directory as long as that is in use.
  const std::array used{walk(*overlay, path_of("a")), walk(*overlay, path_of("a/sub")),
                        walk(*overlay, path_of("b"))};
  for (const char* in_the_way : {"upper/a/one", "upper/a/sub/two", "upper/b/three"}) {
    std::ofstream(tree.at(in_the_way)) << "in the way";
    CHECK(chmod(*overlay, "a/one").error() == Errno(EEXIST));
    REQUIRE(::unlink(tree.at(in_the_way).c_str()) == 0);
    CHECK(tree.number("upper/a/one") == 0);
    CHECK(tree.number("upper/a/sub/two") == 0);
    CHECK(tree.number("upper/b/three") == 0);
  }
  CHECK(attr_of(*overlay, "a/one").mode == (S_IFREG | 0644));
  CHECK(chmod(*overlay, "a/one"));
  CHECK(attr_of(*overlay, "b/three").mode == (S_IFREG | 0700));
  CHECK(attr_of(*overlay, "b/three").nlink == 3);
}

TEST_CASE("of a file that nobody knows the names of none are made") {
  Scratch scratch;
  const auto at = [&](const char* path) { return scratch.path() + "/" + path; };
  const auto open = [&] {
    (void)scratch.dir("lower");
    return make_overlay(scratch, LowerDir::make(scratch.dir("lower"), {false, {}, 8}).value());
  };
  (void)open();
  std::ofstream(at("upper/one")) << "content";
  REQUIRE(::link(at("upper/one").c_str(), at("work/linking-2").c_str()) == 0);
  const auto overlay = open();
  CHECK(std::filesystem::exists(at("upper/one")));
  CHECK_FALSE(std::filesystem::exists(at("work/linking-2")));
  CHECK(list_all(*overlay, kRootNode, ListKind::kPlain).size() == 1);
}

}  // namespace sbx::overlay::test
