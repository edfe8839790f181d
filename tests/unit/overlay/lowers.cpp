#include "lowers.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <map>

#include "tree_fixture.hpp"

namespace sbx::overlay::test {

namespace {

layer::EntryType entry_type(const ModelNode& node) {
  switch (node.type()) {
    case S_IFDIR:
      return layer::EntryType::kDirectory;
    case S_IFLNK:
      return layer::EntryType::kSymlink;
    case S_IFIFO:
    case S_IFSOCK:  // no archive has sockets
      return layer::EntryType::kFifo;
    case S_IFCHR:
      return layer::EntryType::kCharDevice;
    default:
      return layer::EntryType::kRegular;
  }
}

std::string join(const std::vector<std::string>& path) {
  std::string text;
  for (const std::string& part : path) {
    text += (text.empty() ? "" : "/") + part;
  }
  return text;
}

}  // namespace

std::unique_ptr<Lower> tree_of(const Model& model) {
  sbx::test::TreeFixture fixture;
  std::string tar;
  std::map<const ModelNode*, std::string> seen;
  for (const auto& path : model.paths()) {
    const ModelNode& node = *model.find(path);
    layer::TarEntry entry;
    entry.path = join(path);
    const auto [known, fresh] = seen.emplace(&node, entry.path);
    if (!fresh) {
      fixture.link(entry.path, known->second);
      continue;
    }
    entry.type = entry_type(node);
    entry.mode = node.mode & 07777;
    entry.uid = node.owner.uid;
    entry.gid = node.owner.gid;
    entry.rdev = node.rdev;
    entry.mtime_sec = node.mtime.value_or(1);
    if (node.type() == S_IFLNK) {
      entry.link = node.content;
    } else if (node.type() == S_IFREG) {
      tar.resize((tar.size() + 511) / 512 * 512);
      entry.data_offset = tar.size();
      entry.size = node.content.size();
      tar += node.content;
    }
    for (const auto& [name, value] : node.xattrs) {
      entry.xattrs.push_back({name, value});
    }
    fixture.add(entry);
  }
  sys::Fd fd(::memfd_create("tar", MFD_CLOEXEC));
  REQUIRE(::write(fd.get(), tar.data(), tar.size()) == static_cast<ssize_t>(tar.size()));
  auto tree = fixture.try_build(tar.size());
  if (!tree) {
    FAIL(tree.error().message());
  }
  std::vector<sys::Fd> layers;
  layers.push_back(std::move(fd));
  return LowerTree::make(std::move(tree).value(), std::move(layers)).value();
}

void write_model(const Model& model, const std::string& directory) {
  auto paths = model.paths();
  for (const auto& path : paths) {
    const ModelNode& node = *model.find(path);
    const std::string at = path.empty() ? directory : directory + "/" + join(path);
    if (node.is_dir()) {
      REQUIRE((path.empty() || ::mkdir(at.c_str(), 0700) == 0));
    } else if (node.type() == S_IFLNK) {
      REQUIRE(::symlink(node.content.c_str(), at.c_str()) == 0);
      continue;
    } else {
      REQUIRE(::mknod(at.c_str(), node.type() | 0600, 0) == 0);
    }
    if (!node.content.empty()) {
      const sys::Fd fd(::open(at.c_str(), O_WRONLY | O_CLOEXEC));
      REQUIRE(::write(fd.get(), node.content.data(), node.content.size()) ==
              static_cast<ssize_t>(node.content.size()));
    }
    for (const auto& [name, value] : node.xattrs) {
      REQUIRE(::setxattr(at.c_str(), name.c_str(), value.data(), value.size(), 0) == 0);
    }
    REQUIRE(::chmod(at.c_str(), node.mode & 07777) == 0);
  }
  // Times last and from the leaves up: each creation touches the directory above.
  for (auto path = paths.rbegin(); path != paths.rend(); ++path) {
    const std::string at = path->empty() ? directory : directory + "/" + join(*path);
    const struct timespec times[2] = {{0, UTIME_OMIT}, {model.find(*path)->mtime.value_or(1), 0}};
    REQUIRE(::utimensat(AT_FDCWD, at.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
  }
}

}  // namespace sbx::overlay::test
