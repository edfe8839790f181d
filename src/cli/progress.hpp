#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <sbx/registry.hpp>

namespace sbx::cli {

enum class ProgressMode {
  kAuto,   // kLive on a terminal, else kPlain
  kLive,   // one line per layer and a total, redrawn
  kPlain,  // a line when a layer is done
  kJson,   // one JSON object per line
  kQuiet
};

/// Shows on standard error how a transfer goes. One thread's.
class ProgressView {
 public:
  explicit ProgressView(ProgressMode mode);
  ~ProgressView();
  ProgressView(const ProgressView&) = delete;
  ProgressView& operator=(const ProgressView&) = delete;

  void update(const TransferProgress& progress);

 private:
  using Clock = std::chrono::steady_clock;
  struct Layer {
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    Clock::time_point begun;
    bool finished = false;
  };
  void draw();

  ProgressMode mode_;
  std::vector<Layer> layers_;
  Clock::time_point begun_ = Clock::now();
  Clock::time_point drawn_;
  std::size_t lines_ = 0;  // on the terminal now
};

/// One line of the live view: name, bar, bytes, rate, time left. At most 79 columns.
std::string progress_line(const std::string& name, std::uint64_t done, std::uint64_t total,
                          double seconds);

}  // namespace sbx::cli
