// Frames from a sandbox: what passes reaches no address of the host, and judging twice changes nothing more.

#include <vector>

#include "base/assert.hpp"
#include "harness.hpp"
#include "net/frame_filter.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sbx::net::FrameVerdict;
  std::vector<std::uint8_t> frame(
      data, data + size);  // of just this size, so that a read beyond it is caught
  const sbx::net::AddressPlan plan;
  if (sbx::net::judge_frame(frame, plan) != FrameVerdict::kPass) {
    return 0;
  }
  SBX_ASSERT(frame.size() == size && size >= 14);
  const bool ipv4 = frame[12] == 8 && frame[13] == 0;
  SBX_ASSERT(!ipv4 || (frame[30] != 127 && frame[30] != 0 && frame[30] < 224));
  const std::vector<std::uint8_t> mended = frame;
  SBX_ASSERT(sbx::net::judge_frame(frame, plan) == FrameVerdict::kPass && frame == mended);
  return 0;
}
