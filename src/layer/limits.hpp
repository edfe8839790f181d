#pragma once

#include <cstdint>

namespace sbx::layer {

/// What we take from one image. The largest images in use (whole CUDA and conda stacks) have about a
/// million entries and 100 MB of names; each entry costs some 100 bytes of memory while a tree is built.
struct TreeLimits {
  std::uint64_t entries = 4U << 20U;       // of all layers together, implied directories included
  std::uint64_t string_bytes = 1U << 29U;  // names, link targets, xattr names and values
  std::uint64_t extents = 4U << 20U;       // of all sparse files
  std::uint32_t layers = 512;              // docker allows 127, buildah more
  std::uint64_t steps = 1U << 29U;         // name look-ups while merging: some 30 seconds
};

// Of one entry; the numbers of Linux (limits.h, xattr(7)) where it has one.
inline constexpr std::size_t kMaxName = 255;
inline constexpr std::size_t kMaxPath = 4095;
inline constexpr std::size_t kMaxDepth = 1024;  // of the tree too: symlinks lead deeper than paths
inline constexpr std::size_t kMaxXattrName = 255;
inline constexpr std::size_t kMaxXattrValue = 64U << 10U;
inline constexpr std::size_t kMaxXattrs = 512;

}  // namespace sbx::layer
