#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "layer/limits.hpp"

namespace sbx::image {

/// Something in the store that is not as it should be.
struct Problem {
  std::string kind;     // blob, image, tree, garbage, index
  std::string subject;  // a digest, a name, a path below the store
  std::string text;     // what is wrong with it
  std::string action;   // what was done about it; empty: nothing
};

struct CheckReport {
  std::uint64_t images = 0;
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;  // of the blobs
  std::uint64_t trees = 0;
  std::vector<Problem> problems;
};

enum class Repair { kNo, kYes };

/// Compares every blob of $ROOT/store with its digest, every image of the index with its blobs, and every tree with its layers;
/// finds what nothing needs. kYes moves damaged blobs to store/damaged, makes trees anew from the layers, takes images
/// out of the index that cannot be whole, and collects what nothing needs. Others may load and run meanwhile. Starts threads.
Result<CheckReport> check_store(const std::string& root, Repair repair,
                                const layer::TreeLimits& limits = {});

}  // namespace sbx::image
