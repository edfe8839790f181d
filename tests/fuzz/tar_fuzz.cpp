// A layer, as it is and with the checksums of its headers put right, which a fuzzer would not hit: read in pieces of odd sizes it gives the entries that it gives in one piece, and their merged tree, if there is
// one, is a right ImageTree.

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include "base/assert.hpp"
#include "harness.hpp"
#include "layer/image_tree.hpp"
#include "layer/layer_index.hpp"
#include "layer/merged_tree.hpp"
#include "layer/tar_reader.hpp"

namespace {

using sbx::Result;
using sbx::layer::LayerIndex;
using sbx::layer::TarEntry;

/// Small, because a harness is run many times a second: the limits are part of what is tested.
constexpr sbx::layer::TreeLimits kLimits{4096, 1U << 20U, 4096, 8};

Result<std::string> read(std::span<const std::byte> bytes, std::size_t piece, LayerIndex& index) {
  std::string seen;
  sbx::layer::TarReader reader([&](const TarEntry& entry) -> Result<void> {
    seen += entry.path + '\0' + entry.link + '\0' + std::to_string(entry.data_offset) + ' ' +
            std::to_string(entry.size) + '\n';
    return index.add(entry);
  });
  while (!bytes.empty()) {
    const std::size_t now = std::min(piece, bytes.size());
    SBX_TRY(reader.feed(bytes.first(now)));
    bytes = bytes.subspan(now);
  }
  SBX_TRY(reader.finish());
  return seen;
}

/// Every block that looks like a header gets the checksum it should have (POSIX.1-1988: the sum of its bytes, the field
/// itself counted as spaces).
std::string with_checksums(std::string_view text) {
  constexpr std::size_t kField = 148;
  constexpr std::size_t kFieldSize = 8;
  constexpr std::size_t kMagic = 257;
  std::string out(text);
  for (std::size_t block = 0; block + 512 <= out.size(); block += 512) {
    if (out.compare(block + kMagic, 5, "ustar") != 0) {
      continue;
    }
    unsigned sum = 0;
    for (std::size_t i = 0; i < 512; ++i) {
      const bool inside = i >= kField && i < kField + kFieldSize;
      sum += static_cast<unsigned char>(inside ? ' ' : out[block + i]);
    }
    std::array<char, kFieldSize + 1> field{};
    std::snprintf(field.data(), field.size(), "%06o%c ", sum, '\0');
    std::copy_n(field.begin(), kFieldSize,
                out.begin() + static_cast<std::ptrdiff_t>(block + kField));
  }
  return out;
}

void check(std::string_view text) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
  sbx::layer::TreeBudget budget(kLimits);
  LayerIndex whole(budget);
  const auto once = read(bytes, text.size() + 1, whole);
  sbx::layer::TreeBudget other_budget(kLimits);
  LayerIndex pieces(other_budget);
  const auto piecewise = read(bytes, 331, pieces);
  SBX_ASSERT(once.has_value() == piecewise.has_value() && (!once || *once == *piecewise));
  if (!once) {
    return;
  }
  sbx::layer::MergedTree tree(budget);
  for (int layer = 0; layer < 2; ++layer) {  // twice, so that its whiteouts find something
    if (!tree.apply(whole, sbx::oci::DiffId{}, text.size())) {
      return;
    }
  }
  sbx::sys::Fd file(::memfd_create("tree", MFD_CLOEXEC));
  SBX_ASSERT(tree.write(file.get(), sbx::oci::ChainId{}, "tree"));
  const auto image = sbx::layer::ImageTree::open(std::move(file), "tree");
  SBX_ASSERT(image && image->verify());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sbx::fuzz::as_text(data, size);
  check(text);
  check(with_checksums(text));
  return 0;
}
