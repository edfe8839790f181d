#include "transfer/progress.hpp"

#include <cstdio>

#include "base/json.hpp"

namespace sbx::transfer {

void ProgressPrinter::print(const image::LoadProgress& progress) {
  constexpr std::chrono::milliseconds kPause{100};
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  const auto [last, first] = last_.try_emplace(progress.layer, now);
  if (!first && now - last->second < kPause && progress.done < progress.total) {
    return;
  }
  last->second = now;
  const Json line{{"progress",
                   {{"layer", progress.layer + 1},
                    {"layers", progress.layers},
                    {"done", progress.done},
                    {"total", progress.total}}}};
  (void)std::puts(dump_json(line).c_str());
  (void)std::fflush(stdout);
}

std::function<void(const image::LoadProgress&)> ProgressPrinter::callback(bool wanted) {
  if (!wanted) {
    return {};
  }
  return [this](const image::LoadProgress& progress) { print(progress); };
}

}  // namespace sbx::transfer
