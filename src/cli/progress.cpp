#include "cli/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/render.hpp"

namespace sbx::cli {
namespace {

constexpr std::chrono::milliseconds kPause{100};
constexpr std::size_t kBarWidth = 20;

std::string short_time(double seconds) {
  char text[32];
  const auto whole = static_cast<unsigned long>(std::min(seconds, 359999.0));
  if (whole >= 3600) {
    (void)std::snprintf(text, sizeof text, "%luh%02lum", whole / 3600, whole / 60 % 60);
  } else if (whole >= 60) {
    (void)std::snprintf(text, sizeof text, "%lum%02lus", whole / 60, whole % 60);
  } else {
    (void)std::snprintf(text, sizeof text, "%lus", whole);
  }
  return text;
}

}  // namespace

std::string progress_line(const std::string& name, std::uint64_t done, std::uint64_t total,
                          double seconds) {
  const std::uint64_t shown = std::min(done, total);
  const std::size_t filled =
      total == 0 ? kBarWidth : static_cast<std::size_t>(shown * kBarWidth / total);
  std::string bar(filled, '=');
  bar.resize(kBarWidth, ' ');
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  std::string rest = "done";
  if (shown < total) {
    rest = rate < 1 ? "waiting"
                    : human_size(static_cast<unsigned long long>(rate)) + "/s, " +
                          short_time(static_cast<double>(total - shown) / rate) + " left";
  }
  std::string line = name;
  line.resize(std::max<std::size_t>(line.size(), 12), ' ');
  line += " [" + bar + "] " + human_size(shown) + "/" + human_size(total) + "  " + rest;
  line.resize(std::min<std::size_t>(line.size(), 79));
  return line;
}

ProgressView::ProgressView(ProgressMode mode) : mode_(mode) {}

ProgressView::~ProgressView() {
  if (mode_ == ProgressMode::kLive && !layers_.empty()) {
    draw();
  }
}

void ProgressView::update(const TransferProgress& progress) {
  if (mode_ == ProgressMode::kAuto) {  // asked here: most runs have nothing to show
    mode_ = ::isatty(STDERR_FILENO) == 1 ? ProgressMode::kLive : ProgressMode::kPlain;
  }
  if (mode_ == ProgressMode::kQuiet || progress.layer == 0 || progress.layer > progress.layers) {
    return;
  }
  if (mode_ == ProgressMode::kJson) {
    (void)std::fprintf(stderr, "{\"layer\":%zu,\"layers\":%zu,\"done\":%llu,\"total\":%llu}\n",
                       progress.layer, progress.layers,
                       static_cast<unsigned long long>(progress.done),
                       static_cast<unsigned long long>(progress.total));
    return;
  }
  layers_.resize(std::max(layers_.size(), progress.layers));
  Layer& layer = layers_[progress.layer - 1];
  const auto now = Clock::now();
  if (layer.total == 0) {
    layer.begun = now;
  }
  layer.done = progress.done;
  layer.total = progress.total;
  const bool finished = progress.done >= progress.total && !layer.finished;
  layer.finished = layer.finished || finished;
  if (mode_ == ProgressMode::kPlain) {
    if (finished) {
      (void)std::fprintf(stderr, "layer %zu/%zu: %s\n", progress.layer, progress.layers,
                         human_size(progress.total).c_str());
    }
  } else if (finished || now - drawn_ >= kPause) {
    draw();
  }
}

void ProgressView::draw() {
  drawn_ = Clock::now();
  const auto since = [&](Clock::time_point then) {
    return std::chrono::duration<double>(drawn_ - then).count();
  };
  std::string text = lines_ == 0 ? "" : "\x1b[" + std::to_string(lines_) + "A";
  lines_ = 0;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  const auto add = [&](const std::string& line) {
    text += "\r\x1b[K" + line + "\n";
    ++lines_;
  };
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    if (layer.total != 0) {
      add(progress_line("layer " + std::to_string(i + 1), layer.done, layer.total,
                        since(layer.begun)));
      done += layer.done;
      total += layer.total;
    }
  }
  add(progress_line("total", done, total, since(begun_)));
  (void)std::fputs(text.c_str(), stderr);
  (void)std::fflush(stderr);
}

}  // namespace sbx::cli
