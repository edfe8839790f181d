#include "runtime/overlay_engine.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include "sys/file.hpp"
#include "sys/probe.hpp"

namespace sbx::runtime {
namespace {

constexpr const char* kProbes = "probes";
constexpr const char* kWorks = "works";
constexpr std::size_t kMaxAnswer = 4096;

/// Why this container cannot have it, whatever the kernel says; empty if nothing is in the way.
std::string obstacle(const EngineInput& input) {
  if (input.source.kind() != RootSource::Kind::kImage) {
    return "the root is no image";
  }
  if (input.ids.single) {
    return "it keeps owners on disk, and there are no subordinate ids for them";
  }
  return {};
}

/// "works", or why not. One file for each kernel and file system: a home may be on a server that others use.
Result<std::string> probe(const std::string& data_root) {
  utsname kernel{};
  (void)::uname(&kernel);
  const std::string folder = fmt::format("{}/{}", data_root, kProbes);
  SBX_TRY(sys::make_dirs(folder, 0700));
  const struct stat st = SBX_TRY(sys::stat_at(AT_FDCWD, folder));
  const std::string path = fmt::format("{}/overlay-{}-{:x}", folder, kernel.release, st.st_dev);
  if (Result<std::string> known = sys::read_file_at(AT_FDCWD, path, kMaxAnswer);
      known && !known->empty()) {
    return known;
  }
  const sys::Fact fact = sys::probe_overlay(data_root);
  std::string answer = fact.status == sys::FactStatus::kOk ? std::string(kWorks) : fact.found;
  SBX_TRY(sys::write_file_at(AT_FDCWD, path, answer, 0600, sys::Durability::kCached));
  return answer;
}

/// What the measurements of tests/bench/fs say: everything that writes is faster. But what is kept must be read again later,
/// in every detail: by our file system.
bool is_better(const RunRequest& request) { return request.remove && !request.read_only; }

}  // namespace

Result<std::optional<sandbox::KernelOverlay>> choose_engine(const EngineInput& input) {
  const OverlayEngine wanted = input.request.overlay;
  if (wanted == OverlayEngine::kFuse ||
      (wanted == OverlayEngine::kAuto && !is_better(input.request))) {
    return std::optional<sandbox::KernelOverlay>();
  }
  std::string why_not = obstacle(input);
  if (why_not.empty()) {
    const Result<std::string> answer = probe(input.data_root);
    why_not = !answer ? answer.error().message() : *answer == kWorks ? "" : *answer;
  }
  if (!why_not.empty()) {
    return wanted == OverlayEngine::kAuto
               ? Result<std::optional<sandbox::KernelOverlay>>(
                     std::optional<sandbox::KernelOverlay>())
               : fail(Error::make(ErrorCode::kUnsupported, "use the kernel's overlay for",
                                  input.request.image, why_not)
                          .with_hint("--overlay=fuse works everywhere"));
  }
  sandbox::KernelOverlay overlay = input.source.root_attributes();
  overlay.upper = input.container + "/upper";
  overlay.work = input.container + "/work";
  overlay.is_volatile = input.request.remove;
  return std::optional(std::move(overlay));
}

}  // namespace sbx::runtime
