#include "transfer/progress.hpp"

#include <cstdio>

#include "base/json.hpp"

namespace sbx::transfer {

void ProgressPrinter::operator()(const image::LoadProgress& progress) {
  constexpr std::chrono::milliseconds kPause{100};
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < kPause) {
    return;
  }
  last_ = now;
  const Json line{{"progress",
                   {{"layer", progress.layer + 1},
                    {"layers", progress.layers},
                    {"done", progress.done},
                    {"total", progress.total}}}};
  (void)std::puts(dump_json(line).c_str());
  (void)std::fflush(stdout);
}

}  // namespace sbx::transfer
