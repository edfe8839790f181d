// Random sequences of operations, done to an Overlay and to the Model: results, errors, contents, link counts,
// owners, modes, times, attributes and inode numbers must agree, before and after a reload of the upper directory.
// SBX_MODEL_SEED repeats one sequence, SBX_MODEL_SEQUENCES says how many.

#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>

#include "fixture.hpp"
#include "lowers.hpp"
#include "memory_lower.hpp"
#include "model.hpp"
#include "overlay/core/lower_dir.hpp"

namespace sbx::overlay::test {

namespace {

const std::vector<std::string> kNames = {"a", "b", "c", "dd",
                                         "a-long-name-that-does-not-fit-into-the-string"};

#define SAY(text)                               \
  INFO(text);                                   \
  if (std::getenv("SBX_MODEL_EACH") != nullptr) \
  WARN(text)

std::string show(const Path& path) {
  std::string text;
  for (const std::string& part : path) {
    text += "/" + part;
  }
  return text;
}

enum class LowerKind { kMemory, kTree, kDirectory };

class Run {
 public:
  Run(unsigned seed, LowerKind kind) : random_(seed), kind_(kind), parts_(seed % 2 == 0) {
    // The lower tree: some random creations in the model alone.
    for (int i = 0; i < 25; ++i) {
      create_in_model();
    }
    for (const Path& path : model_.paths()) {
      const ModelRef node = model_.find(path);
      node->mtime = 1000 + static_cast<std::int64_t>(pick(1000));
    }
    reload();
    if (!upper_.has.links) {
      split_links(*model_.root());
    }
  }

  void go(int steps) {
    for (int i = 0; i < steps; ++i) {
      CAPTURE(i);
      step();
      check_held();
      if (std::getenv("SBX_MODEL_EACH") != nullptr) {
        check_all();
      }
    }
    check_all();
    reload();
    check_all();
    held_.clear();
    // Nothing is left in memory of what the kernel forgot, but the root and moved directories with what they lie in.
    CHECK(overlay_->node_count() <= 1 + 4 * moved_);
    check_side_files();
  }

 private:
  std::size_t pick(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
  }
  bool chance(std::size_t percent) { return pick(100) < percent; }
  const std::string& name() { return kNames[pick(kNames.size())]; }
  Owner owner() {
    return {static_cast<std::uint32_t>(pick(3) * 10), static_cast<std::uint32_t>(pick(3) * 10)};
  }
  Path any_path() {
    const auto paths = model_.paths();
    return paths[pick(paths.size())];
  }
  Path any_dir() {
    auto paths = model_.paths();
    std::erase_if(
        paths, [&](const Path& path) { return !model_.find(path)->is_dir() || path.size() > 3; });
    return paths[pick(paths.size())];
  }
  std::string bytes() { return std::string(pick(6000), static_cast<char>('A' + pick(26))); }

  ModelRef random_node(Owner who) {
    switch (pick(6)) {
      case 0:
      case 1:
        return make_model_node(S_IFDIR | (chance(20) ? 02755 : 0755), who);
      case 2:
        return make_model_node(S_IFLNK | 0777, who, "target/" + name());
      case 3:
        return make_model_node((chance(50) ? S_IFIFO : S_IFSOCK) | 0640, who);
      default:
        return make_model_node(S_IFREG | (chance(20) ? 06755 : 0644), who);
    }
  }

  void create_in_model() {
    const ModelRef dir = model_.find(any_dir());
    // A directory does not tell where the other names of its files are.
    const bool plain = kind_ == LowerKind::kDirectory;
    if (!plain && chance(15)) {
      const ModelRef node = model_.find(any_path());
      (void)Model::link(node, *dir, name());
      return;
    }
    const ModelRef node = random_node(plain ? Owner{} : owner());
    if (node->type() == S_IFREG) {
      node->content = bytes();
    }
    if (node->type() != S_IFLNK && chance(30)) {
      node->xattrs["user.color"] = name();
    }
    if (node->type() != S_IFREG && node->type() != S_IFDIR) {
      node->xattrs.clear();
    }
    if (node->type() == S_IFSOCK) {
      node->mode = S_IFIFO | 0640;  // archives have no sockets
    }
    if (!plain && chance(10)) {
      node->mode = S_IFCHR | 0600;
      node->rdev = makedev(1, 3);
      node->content.clear();
      node->xattrs.clear();
    }
    (void)Model::create(*dir, name(), node);
  }

  void reload() {
    held_.clear();
    overlay_.reset();
    // Files of all sizes are copied by parts in every other run.
    overlay_ =
        make_overlay(scratch_, make_lower(), ids(), parts_ ? 1 : std::uint64_t{1} << 20U, upper_);
  }

  /// Where the upper directory has no hard links, each name of the lower tree is a file of its own.
  static void split_links(ModelNode& dir) {
    for (auto& [entry, child] : dir.entries) {
      if (child->is_dir()) {
        split_links(*child);
      } else if (child->names > 1) {
        child = std::make_shared<ModelNode>(*child);
        child->names = 1;
      }
    }
  }

  std::unique_ptr<Lower> make_lower() {
    switch (kind_) {
      case LowerKind::kTree:
        return tree_of(lower_model());
      case LowerKind::kDirectory:
        if (!written_) {
          (void)lower_place_.dir("lower");
          write_model(lower_model(), lower_place_.path() + "/lower");
          written_ = true;
        }
        return LowerDir::make(lower_place_.dir("lower"), {false, {}, 4}).value();
      case LowerKind::kMemory:
        break;
    }
    return std::make_unique<MemoryLower>(lower_model());
  }

  IdView ids() const {
    const std::vector<IdView::Range> all{{0, 65536}};
    return kind_ == LowerKind::kDirectory
               ? IdView::host(all, all, {::geteuid(), 0}, {::getegid(), 0})
               : all_ids();
  }

  /// The lower tree never changes: the model as it was first.
  const Model& lower_model() {
    if (!lower_) {
      lower_.emplace(clone());
    }
    return *lower_;
  }

  Model clone() {
    Model copy;
    std::map<const ModelNode*, ModelRef> done;
    const std::function<void(const ModelNode&, ModelNode&)> fill = [&](const ModelNode& from,
                                                                       ModelNode& to) {
      for (const auto& [entry, child] : from.entries) {
        ModelRef& made = done[child.get()];
        if (made == nullptr) {
          made = std::make_shared<ModelNode>(*child);
          made->entries.clear();
          fill(*child, *made);
        }
        to.entries[entry] = made;
      }
    };
    *copy.root() = *model_.root();
    copy.root()->entries.clear();
    fill(*model_.root(), *copy.root());
    return copy;
  }

  Held hold(const Path& path) {
    auto held = walk(*overlay_, path);
    REQUIRE(held);
    return std::move(*held);
  }

  template <class T>
  static int code(const FsResult<T>& result) {
    return result ? 0 : result.error().value();
  }

  /// A creation counts a lookup; nobody keeps it.
  int created(const FsResult<Entry>& entry) {
    if (entry) {
      overlay_->forget(entry->id, 1);
    }
    return code(entry);
  }

  void step() {
    const std::size_t kind = pick(14);
    if (std::getenv("SBX_MODEL_EACH") != nullptr) {
      WARN("kind " << kind);
    }
    switch (kind) {
      case 0:
      case 1:
      case 2:
        return create();
      case 3:
        return link();
      case 4:
        return unlink();
      case 5:
        return remove_dir();
      case 6:
      case 7:
        return rename();
      case 8:
        return change_attributes();
      case 9:
        return write();
      case 10:
        return truncate();
      case 11:
        return change_xattr();
      case 12:
        return take_hold();
      default:
        return chance(20) ? reload() : (void)chance(1);
    }
  }

  void create() {
    const Path where = any_dir();
    const std::string as = name();
    const Owner who = owner();
    const ModelRef node = random_node(who);
    const std::uint32_t mode = node->mode;
    const Held dir = hold(where);
    SAY("create " << show(where) << " " << as << " mode " << mode);
    int got = 0;
    if (S_ISDIR(mode)) {
      got = created(overlay_->make_dir(dir.id(), as, mode, {who}));
    } else if (S_ISLNK(mode)) {
      got = created(overlay_->make_symlink(dir.id(), as, node->content, {who}));
    } else {
      got = created(overlay_->make_node(dir.id(), as, mode, 0, {who}));
    }
    REQUIRE(got == Model::create(*model_.find(where), as, node));
  }

  void link() {
    const Path from = any_path();
    const Path where = any_dir();
    const std::string as = name();
    const Held node = hold(from);
    const Held dir = hold(where);
    SAY("link " << show(from) << " as " << show(where) << " " << as);
    const int wanted =
        upper_.has.links ? Model::link(model_.find(from), *model_.find(where), as) : EPERM;
    REQUIRE(created(overlay_->link(node.id(), dir.id(), as)) == wanted);
  }

  void unlink() {
    const Path where = any_dir();
    const std::string what = name();
    const Held dir = hold(where);
    SAY("unlink " << show(where) << " " << what);
    REQUIRE(code(overlay_->unlink(dir.id(), what)) == Model::unlink(*model_.find(where), what));
  }

  void remove_dir() {
    const Path where = any_dir();
    const std::string what = name();
    const Held dir = hold(where);
    SAY("rmdir " << show(where) << " " << what);
    REQUIRE(code(overlay_->remove_dir(dir.id(), what)) ==
            Model::remove_dir(*model_.find(where), what));
  }

  void rename() {
    const Path from_dir = any_dir();
    const Path to_dir = any_dir();
    const std::string from = name();
    const std::string to = name();
    const unsigned flags = chance(20) ? RENAME_EXCHANGE : chance(20) ? RENAME_NOREPLACE : 0;
    const Held from_held = hold(from_dir);
    const Held to_held = hold(to_dir);
    SAY("rename " << show(from_dir) << " " << from << " to " << show(to_dir) << " " << to
                  << " flags " << flags);
    const bool refused = flags == RENAME_EXCHANGE && !upper_.has.exchange &&
                         model_.find(from_dir)->entries.contains(from) &&
                         model_.find(to_dir)->entries.contains(to);
    const int wanted =
        refused ? EINVAL
                : Model::rename(model_.find(from_dir), from, model_.find(to_dir), to, flags);
    REQUIRE(code(overlay_->rename(from_held.id(), from, to_held.id(), to, flags)) == wanted);
    moved_ += wanted == 0 ? 2 : 0;
  }

  void change_attributes() {
    const Path path = any_path();
    ModelNode& node = *model_.find(path);
    const Held held = hold(path);
    AttrChange change;
    if (node.type() != S_IFLNK && chance(50)) {
      change.set_mode = true;
      change.mode = chance(50) ? 0600 : 04711;
    }
    if (chance(50)) {
      change.set_uid = change.set_gid = true;
      change.owner = owner();
    }
    if (chance(50)) {
      change.set_times = true;
      change.times[1] = {static_cast<time_t>(5000 + pick(1000)), 0};
    }
    SAY("setattr " << show(path) << " mode " << change.set_mode << " owner " << change.set_uid
                   << " times " << change.set_times << " " << change.times[1].tv_sec);
    const auto attr = overlay_->set_attr(held.id(), change);
    REQUIRE(attr);
    if (change.set_uid) {
      Model::chown(node, change.owner);
    }
    if (change.set_mode) {
      node.mode = node.type() | change.mode;
    }
    if (change.set_times) {
      node.mtime = change.times[1].tv_sec;
    }
    CHECK(attr->mode == node.mode);
  }

  void write() {
    const Path path = any_path();
    ModelNode& node = *model_.find(path);
    if (node.type() != S_IFREG) {
      return;
    }
    const Held held = hold(path);
    const std::size_t offset = pick(8000);
    const std::string data = bytes();
    SAY("write " << show(path) << " at " << offset << " bytes " << data.size());
    REQUIRE(overlay_->write(held.id(), offset, std::as_bytes(std::span(data)), false));
    if (!data.empty()) {
      Model::write(node, offset, data);
    } else {
      node.mtime.reset();
    }
  }

  void truncate() {
    const Path path = any_path();
    ModelNode& node = *model_.find(path);
    if (node.type() != S_IFREG) {
      return;
    }
    const Held held = hold(path);
    AttrChange change;
    change.set_size = true;
    change.size = pick(3) == 0 ? 0 : pick(8000);
    SAY("truncate " << show(path) << " to " << change.size);
    REQUIRE(overlay_->set_attr(held.id(), change));
    Model::truncate(node, change.size);
  }

  void change_xattr() {
    const Path path = any_path();
    ModelNode& node = *model_.find(path);
    if (node.type() != S_IFREG && node.type() != S_IFDIR) {
      return;
    }
    const Held held = hold(path);
    const std::string key = chance(50) ? "user.color" : "user.overlay.opaque";
    const std::string value = name();
    SAY("xattr " << show(path) << " " << key);
    if (chance(60)) {
      REQUIRE(overlay_->set_xattr(held.id(), key, std::as_bytes(std::span(value)), 0));
      node.xattrs[key] = value;
    } else {
      REQUIRE(code(overlay_->remove_xattr(held.id(), key)) ==
              (node.xattrs.erase(key) > 0 ? 0 : ENODATA));
    }
  }

  void take_hold() {
    const Path path = any_path();
    if (held_.size() > 6) {
      held_.erase(held_.begin());
    }
    held_.push_back({hold(path), model_.find(path)});
  }

  /// What somebody holds open stays what it is, with or without a name.
  void check_held() {
    for (const auto& [held, node] : held_) {
      INFO("held node");
      check_node(held.id(), *node);
    }
  }

  void check_node(NodeId id, ModelNode& node) {
    const auto attr = overlay_->get_attr(id);
    REQUIRE(attr);
    CHECK(attr->mode == node.mode);
    CHECK(attr->owner == node.owner);
    CHECK(attr->nlink == node.nlink());
    CHECK(attr->rdev == node.rdev);
    if (node.mtime && node.names > 0) {
      CHECK(attr->mtime.tv_sec == *node.mtime);
    }
    // The number of a symlink changes when it gets an owner, at a reload: nowhere to keep it.
    if (node.ino != 0 && node.type() != S_IFLNK) {
      CHECK(attr->ino == node.ino);
    }
    node.ino = attr->ino;
    if (node.type() == S_IFREG) {
      CHECK(attr->size == node.content.size());
      CHECK(read_all(*overlay_, id) == node.content);
    } else if (node.type() == S_IFLNK) {
      CHECK(overlay_->read_link(id).value_or("error") == node.content);
      CHECK(attr->size == node.content.size());
    }
    if (node.names == 0 && node.is_dir()) {
      return;
    }
    auto names = overlay_->xattr_names(id);
    REQUIRE(names);
    CHECK(names->size() == node.xattrs.size());
    for (const auto& [key, value] : node.xattrs) {
      CHECK(overlay_->xattr(id, key).value_or("none") == value);
    }
  }

  void check_all() {
    for (const Path& path : model_.paths()) {
      CAPTURE(show(path), model_.find(path)->mode);
      const ModelRef node = model_.find(path);
      const Held held = hold(path);
      check_node(held.id(), *node);
      if (node->is_dir()) {
        check_listing(held.id(), *node);
      }
    }
  }

  void check_listing(NodeId id, const ModelNode& node) {
    for (const ListKind kind : {ListKind::kPlain, ListKind::kWithAttributes}) {
      std::map<std::string, Entry> listed;
      for (const Listed& entry : list_all(*overlay_, id, kind)) {
        CHECK(listed.emplace(entry.name, entry.entry).second);
      }
      CHECK(listed.size() == node.entries.size());
      for (const auto& [entry, child] : node.entries) {
        CAPTURE(entry);
        REQUIRE(listed.contains(entry));
        CHECK((listed[entry].attr.mode & S_IFMT) == child->type());
        // Without hard links some are listed without attributes: a listing makes no file of its own for a name.
        CHECK(((kind == ListKind::kPlain) == (listed[entry].id == NodeId(0)) || !upper_.has.links));
        if (child->ino != 0 && child->type() != S_IFLNK) {
          CHECK(listed[entry].attr.ino == child->ino);
        }
      }
    }
  }

  /// None is left of a file that is gone.
  void check_side_files() {
    if (upper_.has.xattrs) {
      return;
    }
    std::set<std::string> numbers{"form"};
    for (const char* top : {"/upper", "/work"}) {
      struct stat st {};
      REQUIRE(::lstat((scratch_.path() + top).c_str(), &st) == 0);
      numbers.insert(std::to_string(st.st_ino));
      for (const auto& entry :
           std::filesystem::recursive_directory_iterator(scratch_.path() + top)) {
        REQUIRE(::lstat(entry.path().c_str(), &st) == 0);
        numbers.insert(std::to_string(st.st_ino));
      }
    }
    for (const auto& entry : std::filesystem::directory_iterator(scratch_.path() + "/work/marks")) {
      CHECK(numbers.contains(entry.path().filename().string()));
    }
  }

  struct HeldNode {
    Held held;
    ModelRef node;
  };

  std::mt19937 random_;
  LowerKind kind_;
  UpperKind upper_ = UpperKind::of_environment();
  bool parts_;
  bool written_ = false;
  Scratch scratch_;
  // A lower directory is not what a lesser file system is tried with.
  Scratch lower_place_{std::getenv("SBX_TEST_LACKS") != nullptr ? "/var/tmp" : nullptr};
  Model model_;
  std::optional<Model> lower_;
  std::unique_ptr<Overlay> overlay_;
  std::vector<HeldNode> held_;
  std::size_t moved_ = 0;
};

unsigned number(const char* variable, unsigned otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

void run_all(LowerKind kind) {
  const unsigned first = number("SBX_MODEL_SEED", 1);
  const unsigned sequences = number("SBX_MODEL_SEQUENCES", 25);
  for (unsigned seed = first; seed < first + sequences; ++seed) {
    CAPTURE(seed);
    Run run(seed, kind);
    run.go(120);
  }
}

}  // namespace

TEST_CASE("random operations over a tree in memory do what the model does", "[model]") {
  run_all(LowerKind::kMemory);
}
TEST_CASE("random operations over an ImageTree do what the model does", "[model]") {
  run_all(LowerKind::kTree);
}
TEST_CASE("random operations over a directory do what the model does", "[model]") {
  run_all(LowerKind::kDirectory);
}

}  // namespace sbx::overlay::test
