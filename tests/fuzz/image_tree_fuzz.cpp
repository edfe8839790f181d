// A hostile index: every access gives something or nothing, and never leaves the file. A tree that verify() accepts can be
// walked to its end.

#include <array>

#include "base/assert.hpp"
#include "harness.hpp"
#include "layer/image_tree.hpp"

using sbx::layer::ImageTree;
using sbx::layer::TreeIno;

namespace {

constexpr TreeIno kMostInodes = 4096;
constexpr std::uint32_t kMostEntries = 4096;

void look_at(const ImageTree& tree, TreeIno ino) {
  (void)tree.inode(ino);
  (void)tree.symlink_target(ino);
  for (std::uint32_t i = 0; i < std::min(tree.entry_count(ino), kMostEntries); ++i) {
    if (const auto entry = tree.entry(ino, i)) {
      (void)tree.lookup(ino, entry->name);
      (void)tree.parent(entry->ino);
    }
  }
  for (std::uint32_t i = 0; i < std::min(tree.xattr_count(ino), kMostEntries); ++i) {
    if (const auto xattr = tree.xattr(ino, i)) {
      (void)tree.find_xattr(ino, xattr->name);
    }
  }
  for (std::uint32_t i = 0; i < std::min(tree.extent_count(ino), kMostEntries); ++i) {
    (void)tree.extent(ino, i);
  }
  std::array<std::byte, 64> buffer{};
  (void)tree.read(ino, 1, buffer, {});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto tree = ImageTree::over({reinterpret_cast<const std::byte*>(data), size}, "input");
  if (!tree) {
    return 0;
  }
  for (TreeIno ino = 0; ino <= std::min(tree->inode_count() + 1, kMostInodes); ++ino) {
    look_at(*tree, ino);
  }
  for (const char* path : {"etc/passwd", "/../a/./b", "link/x", "loop"}) {
    (void)tree->resolve(path);
  }
  for (std::uint32_t i = 0; i < std::min(tree->layer_count() + 1, kMostEntries); ++i) {
    (void)tree->layer(i);
  }
  if (tree->verify()) {
    for (TreeIno ino = 1; ino <= tree->inode_count(); ++ino) {
      SBX_ASSERT(tree->inode(ino));
      for (std::uint32_t i = 0; i < tree->entry_count(ino); ++i) {
        const auto entry = tree->entry(ino, i);
        SBX_ASSERT(entry && tree->lookup(ino, entry->name) == entry->ino);
      }
    }
  }
  return 0;
}
