#pragma once

#include <chrono>

#include "image/loader.hpp"

namespace sbx::transfer {

/// Prints a line {"progress": {...}} at most ten times a second.
class ProgressPrinter {
 public:
  void operator()(const image::LoadProgress& progress);

 private:
  std::chrono::steady_clock::time_point last_;
};

}  // namespace sbx::transfer
