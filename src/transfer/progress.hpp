#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>

#include "image/installer.hpp"

namespace sbx::transfer {

/// Prints lines {"progress": {"layer", "layers", "done", "total"}}, for each layer at most ten times a second and once
/// more when it is done. Any thread may call it.
class ProgressPrinter {
 public:
  void print(const image::LoadProgress& progress);
  /// print(), for a request; nothing unless it is wanted. Valid as long as the printer.
  std::function<void(const image::LoadProgress&)> callback(bool wanted);

 private:
  std::mutex mutex_;                                                   // also keeps lines apart
  std::map<std::size_t, std::chrono::steady_clock::time_point> last_;  // by layer
};

}  // namespace sbx::transfer
