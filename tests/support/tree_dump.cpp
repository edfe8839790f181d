// Lists the merged tree of a stored image as sbx sees it, one JSON object per line: for comparing it with what
// other tools unpack. Test program: tree_dump ROOT IMAGE. Checks every invariant of the tree first.

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>

#include "base/json.hpp"
#include "base/sha256.hpp"
#include "image/image_store.hpp"

namespace {

using sbx::Result;
using sbx::image::ImageFiles;
using sbx::layer::TreeIno;

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

Result<std::string> content_hash(const ImageFiles& files, TreeIno ino) {
  sbx::Sha256 hash;
  std::vector<std::byte> buffer(1U << 20U);
  for (std::uint64_t at = 0;;) {
    const auto got = files.tree.read(ino, at, buffer, files.layers);
    if (!got) {
      return sbx::fail(sbx::Error::system("read inode", std::to_string(ino), got.error().value()));
    }
    if (*got == 0) {
      return hash.finish_hex();
    }
    hash.update(std::span(buffer).first(*got));
    at += *got;
  }
}

Result<void> print_inode(const ImageFiles& files, const std::string& path, TreeIno ino) {
  const auto inode = files.tree.inode(ino);
  sbx::Json out{{"path", hex(path)},
                {"ino", ino},
                {"mode", inode->mode},
                {"uid", inode->uid},
                {"gid", inode->gid},
                {"nlink", inode->nlink},
                {"size", inode->size},
                {"rdev", inode->rdev},
                {"mtime", fmt::format("{}.{:09}", inode->mtime_sec, inode->mtime_nsec)}};
  out["xattrs"] = sbx::Json::object();
  for (std::uint32_t i = 0; i < files.tree.xattr_count(ino); ++i) {
    const auto xattr = files.tree.xattr(ino, i);
    out["xattrs"][std::string(xattr->name)] = hex(xattr->value);
  }
  if (S_ISLNK(inode->mode)) {
    out["target"] = hex(files.tree.symlink_target(ino));
  } else if (S_ISREG(inode->mode)) {
    out["sha256"] = SBX_TRY(content_hash(files, ino));
  }
  std::puts(sbx::dump_json(out).c_str());
  return {};
}

Result<void> print_tree(const ImageFiles& files, const std::string& path, TreeIno ino) {
  SBX_TRY(print_inode(files, path, ino));
  for (std::uint32_t i = 0; i < files.tree.entry_count(ino); ++i) {
    const auto entry = files.tree.entry(ino, i);
    const std::string child =
        path.empty() ? std::string(entry->name) : fmt::format("{}/{}", path, entry->name);
    SBX_TRY(print_tree(files, child, entry->ino));
  }
  return {};
}

Result<void> run(const char* root, const char* name) {
  const sbx::image::ImageStore store = SBX_TRY(sbx::image::ImageStore::open(root));
  const auto [image, files] = SBX_TRY(store.find_and_open(name));
  SBX_TRY(files.tree.verify());
  return print_tree(files, "", sbx::layer::kTreeRoot);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    return 2;
  }
  const Result<void> done = run(argv[1], argv[2]);
  if (!done) {
    fmt::print(stderr, "tree_dump: {}\n", done.error().message());
    return 1;
  }
  return 0;
}
