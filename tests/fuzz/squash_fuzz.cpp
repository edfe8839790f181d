// A squashfs: what is accepted makes a right ImageTree, of which every file can be asked for. The magic number is put right,
// and the corpus has images without compression, so that a fuzzer gets past both.

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "base/assert.hpp"
#include "harness.hpp"
#include "layer/merged_tree.hpp"
#include "layer/squash_reader.hpp"
#include "layer/squash_scan.hpp"

namespace {

using sbx::layer::ImageTree;

/// Small, because a harness is run many times a second: the limits are part of what is tested.
constexpr sbx::layer::TreeLimits kLimits{4096, 1U << 20U, 4096, 1};
constexpr std::uint32_t kMagicSize = 4;

void read_all(const ImageTree& tree, int file) {
  sbx::layer::SquashReader reader(tree, file);
  std::vector<std::byte> buffer(5000);
  for (sbx::layer::TreeIno ino = 1; ino <= tree.inode_count(); ++ino) {
    const auto inode = tree.inode(ino);
    (void)reader.read(ino, 0, buffer);
    (void)reader.read(ino, inode->size / 2, buffer);
    (void)reader.read(ino, inode->size - std::min<std::uint64_t>(inode->size, 10), buffer);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> bytes(data, data + size);
  if (size >= kMagicSize) {
    std::memcpy(bytes.data(), &sbx::layer::squash::kMagic, kMagicSize);
  }
  const sbx::sys::Fd file(::memfd_create("squashfs", MFD_CLOEXEC));
  SBX_ASSERT(::write(file.get(), bytes.data(), size) == static_cast<ssize_t>(size));
  sbx::layer::TreeBudget budget(kLimits);
  sbx::layer::LayerIndex index(budget);
  const auto info = sbx::layer::scan_squash({file.get(), 0, size}, budget, index);
  sbx::layer::MergedTree tree(budget);
  if (!info || !tree.apply(index, sbx::oci::DiffId{}, size)) {
    return 0;
  }
  sbx::sys::Fd made(::memfd_create("tree", MFD_CLOEXEC));
  SBX_ASSERT(tree.write(made.get(), sbx::oci::ChainId{}, "tree", info->squash));
  const auto image = ImageTree::open(std::move(made), "tree");
  SBX_ASSERT(image && image->verify());
  read_all(*image, file.get());
  return 0;
}
