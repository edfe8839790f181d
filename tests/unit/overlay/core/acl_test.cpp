#include <sys/stat.h>
#include <sys/xattr.h>

#include <catch2/catch.hpp>

#include "../acls.hpp"
#include "../fixture.hpp"
#include "../memory_lower.hpp"
#include "overlay/core/posix_acl.hpp"

namespace sbx::overlay::test {

namespace {

const std::string kMasked =
    acl_value({{kUserObj, 6}, {kUser, 7, 33}, {kGroupObj, 4}, {kMask, 5}, {kOther, 0}});
const std::string kInherited = acl_value(
    {{kUserObj, 7}, {kUser, 7, 33}, {kGroupObj, 5}, {kGroup, 6, 44}, {kMask, 7}, {kOther, 5}});

/// An overlay that keeps ACLs, of a lower tree with "file" (mode 0640) and "dir" in it, both with an ACL, and "plain".
class Acls {
 public:
  explicit Acls(IdView ids = all_ids(), bool on = true) : ids_(std::move(ids)), on_(on) {
    Model model;
    add(model, "file", S_IFREG | 0640)->xattrs[std::string(kAccessAcl)] = kMasked;
    add(model, "dir", S_IFDIR | 0755)->xattrs[std::string(kDefaultAcl)] = kInherited;
    add(model, "broken", S_IFREG | 0644)->xattrs[std::string(kAccessAcl)] = "none";
    add(model, "plain", S_IFREG | 0644);
    model_ = std::move(model);
    open();
  }
  void open() {
    overlay_.reset();
    Overlay::Options options;
    options.lower = std::make_unique<MemoryLower>(model_);
    options.upper = Upper::open(scratch_.dir("upper"), scratch_.dir("work")).value();
    options.ids = ids_;
    options.acls = on_;
    overlay_ = Overlay::make(std::move(options)).value();
  }
  Overlay* operator->() { return overlay_.get(); }
  NodeId at(const char* path) {
    held_.push_back(walk(*overlay_, path_of(path)).value());
    return held_.back().id();
  }
  std::string get(const char* path, std::string_view name = kAccessAcl) {
    const auto value = overlay_->xattr(at(path), name);
    return value ? *value : "errno " + std::to_string(value.error().value());
  }
  int set(const char* path, const std::string& value, std::string_view name = kAccessAcl,
          bool kill = false) {
    const auto done = overlay_->set_xattr(at(path), name, std::as_bytes(std::span(value)), 0, kill);
    return done ? 0 : done.error().value();
  }
  std::uint32_t mode(const char* path) { return overlay_->get_attr(at(path))->mode & 07777; }
  void chmod(const char* path, std::uint32_t mode) {
    AttrChange change;
    change.set_mode = true;
    change.mode = mode;
    REQUIRE(overlay_->set_attr(at(path), change));
  }
  [[nodiscard]] ssize_t on_disk(const char* path, const char* name) const {
    return ::lgetxattr((scratch_.path() + "/upper/" + path).c_str(), name, nullptr, 0);
  }
  /// Forgets what the "kernel" knows, and starts again from the disk.
  void restart() {
    held_.clear();
    open();
  }

 private:
  static ModelRef add(Model& model, const std::string& name, std::uint32_t mode) {
    ModelRef node = make_model_node(mode);
    REQUIRE(Model::create(*model.root(), name, node) == 0);
    return node;
  }
  Scratch scratch_;
  IdView ids_;
  bool on_;
  Model model_;
  std::unique_ptr<Overlay> overlay_;
  std::vector<Held> held_;
};

const std::string kNone = "errno " + std::to_string(ENODATA);

}  // namespace

TEST_CASE("ACLs of the lower tree are shown, and come along at a copy-up", "[acl]") {
  Acls tree;
  const std::string shown =
      acl_value({{kUserObj, 6}, {kUser, 7, 33}, {kGroupObj, 4}, {kMask, 4}, {kOther, 0}});
  CHECK(tree.get("file") == shown);  // the mode (0640) counts
  CHECK(tree->xattr_names(tree.at("file")).value() ==
        std::vector<std::string>{std::string(kAccessAcl)});
  CHECK(tree.get("dir", kDefaultAcl) == kInherited);
  CHECK(tree.get("plain") == kNone);
  CHECK(tree.get("broken") == kNone);
  tree.chmod("file", 0670);
  tree.chmod("broken", 0600);
  const std::string changed =
      acl_value({{kUserObj, 6}, {kUser, 7, 33}, {kGroupObj, 4}, {kMask, 7}, {kOther, 0}});
  CHECK(tree.get("file") == changed);
  CHECK(tree.get("broken") == kNone);
  tree.restart();
  CHECK(tree.get("file") == changed);
  CHECK(tree->xattr_names(tree.at("file")).value() ==
        std::vector<std::string>{std::string(kAccessAcl)});
}

TEST_CASE("an access ACL brings its mode, and takes set-group-id where it must", "[acl]") {
  Acls tree;
  tree.chmod("plain", 06644);
  CHECK(tree.set("plain", kMasked) == 0);
  CHECK(tree.mode("plain") == 06650);
  CHECK(tree.get("plain") == kMasked);
  CHECK(tree.set("plain", kMasked, kAccessAcl, /*kill=*/true) == 0);
  CHECK(tree.mode("plain") == 04650);
  CHECK(tree.set("plain", "short") == EINVAL);
  CHECK(tree.set("plain", kInherited, kDefaultAcl) == EACCES);
  tree.restart();
  CHECK(tree.mode("plain") == 04650);
  CHECK(tree.get("plain") == kMasked);
}

TEST_CASE("an ACL that says no more than the mode is none", "[acl]") {
  Acls tree;
  const std::string small = acl_value({{kUserObj, 6}, {kGroupObj, 4}, {kOther, 4}});
  CHECK(tree.set("plain", small) == 0);
  CHECK(tree.on_disk("plain", "user.containers.override_stat") < 0);  // not even copied up
  CHECK(tree.set("file", small) == 0);
  CHECK(tree.mode("file") == 0644);
  CHECK(tree.get("file") == kNone);
  CHECK(tree.on_disk("file", "user.sbx.system.posix_acl_access") < 0);
}

TEST_CASE("an ACL can be removed, also one that is not there", "[acl]") {
  Acls tree;
  CHECK(tree->remove_xattr(tree.at("plain"), kAccessAcl));
  CHECK(tree->remove_xattr(tree.at("file"), kAccessAcl));
  CHECK(tree->remove_xattr(tree.at("dir"), kDefaultAcl));
  CHECK(tree.get("file") == kNone);
  CHECK(tree.mode("file") == 0640);
  CHECK(tree.get("dir", kDefaultAcl) == kNone);
  CHECK(tree->remove_xattr(tree.at("dir"), kDefaultAcl));
}

TEST_CASE("new files get the default ACL of their directory instead of the umask", "[acl]") {
  Acls tree;
  const Caller who{{0, 0}, 022};
  const NodeId dir = tree.at("dir");
  REQUIRE(tree->make_node(dir, "new", S_IFREG | 0666, 0, who));
  REQUIRE(tree->make_dir(dir, "sub", 0777, who));
  REQUIRE(tree->make_node(kRootNode, "outside", S_IFREG | 0666, 0, who));
  CHECK(tree.mode("dir/new") == 0664);
  CHECK(tree.get("dir/new") == acl_value({{kUserObj, 6},
                                          {kUser, 7, 33},
                                          {kGroupObj, 5},
                                          {kGroup, 6, 44},
                                          {kMask, 6},
                                          {kOther, 4}}));
  CHECK(tree.get("dir/new", kDefaultAcl) == kNone);
  CHECK(tree.mode("dir/sub") == 0775);
  CHECK(tree.get("dir/sub", kDefaultAcl) == kInherited);
  CHECK(tree.mode("outside") == 0644);
  CHECK(tree.get("outside") == kNone);
  const auto unnamed = tree->make_unnamed(dir, S_IFREG | 0600, who);
  REQUIRE(unnamed);
  CHECK(tree->xattr(unnamed->id, kAccessAcl).value().size() == kInherited.size());
  tree->forget(unnamed->id, 1);
  // Where a whiteout was, too.
  REQUIRE(tree->unlink(dir, "new"));
  REQUIRE(tree->make_node(dir, "new", S_IFREG | 0600, 0, who));
  CHECK(tree.mode("dir/new") == 0600);
  CHECK(tree.get("dir/new").size() == kInherited.size());
}

TEST_CASE("ids in ACLs are counted as owners are", "[acl]") {
  Acls few(IdView::full({{0, 40}}, {{0, 40}}));
  CHECK(few.get("dir", kDefaultAcl) ==
        acl_value({{kUserObj, 7}, {kUser, 7, 33}, {kGroupObj, 5}, {kMask, 7}, {kOther, 5}}));
  Acls one(IdView::squash({0, 0}));
  CHECK(one.get("dir", kDefaultAcl) ==
        acl_value({{kUserObj, 7}, {kGroupObj, 5}, {kMask, 7}, {kOther, 5}}));
  Acls host(IdView::host({{0, 100}}, {{0, 100}}, {33, 0}, {44, 1}));
  const std::string inside = acl_value(
      {{kUserObj, 7}, {kUser, 7, 0}, {kGroupObj, 5}, {kGroup, 6, 1}, {kMask, 7}, {kOther, 5}});
  CHECK(host.get("dir", kDefaultAcl) == inside);
  host.chmod("dir", 0700);
  CHECK(host.get("dir", kDefaultAcl) == inside);
}

TEST_CASE("without the option there are no ACLs", "[acl]") {
  Acls tree(all_ids(), false);
  const std::string refused = "errno " + std::to_string(EOPNOTSUPP);
  CHECK(tree.get("file") == refused);
  CHECK(tree.set("file", kMasked) == EOPNOTSUPP);
  CHECK(tree->remove_xattr(tree.at("file"), kAccessAcl).error() == Errno(EOPNOTSUPP));
  CHECK(tree->xattr_names(tree.at("file")).value().empty());
  REQUIRE(tree->make_node(tree.at("dir"), "new", S_IFREG | 0666, 0, {{0, 0}, 022}));
  CHECK(tree.mode("dir/new") == 0644);
  CHECK(tree.on_disk("dir", "user.sbx.system.posix_acl_default") < 0);
}

}  // namespace sbx::overlay::test
