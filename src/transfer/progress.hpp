#pragma once

#include <chrono>
#include <map>
#include <mutex>

#include "image/installer.hpp"

namespace sbx::transfer {

/// Prints lines {"progress": {"layer", "layers", "done", "total"}}, for each layer at most ten times a second and once
/// more when it is done. Any thread may call it.
class ProgressPrinter {
 public:
  void print(const image::LoadProgress& progress);

 private:
  std::mutex mutex_;                                                   // also keeps lines apart
  std::map<std::size_t, std::chrono::steady_clock::time_point> last_;  // by layer
};

}  // namespace sbx::transfer
