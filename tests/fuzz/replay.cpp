// The main of a harness that is run as an ordinary test: REPLAY CORPUS-FOLDER runs LLVMFuzzerTestOneInput on every file
// of the corpus, on some of its beginnings, and with some of its bytes changed. The same inputs every time.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "harness.hpp"

namespace {

constexpr std::size_t kBeginnings = 64;
constexpr std::size_t kChanges = 256;

void run(const std::string& input) {
  // A copy of its own size on the heap, so that AddressSanitizer sees a read past the end.
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

void replay(const std::string& input) {
  run(input);
  for (std::size_t i = 0; i < kBeginnings; ++i) {
    run(input.substr(0, input.size() * i / kBeginnings));
  }
  if (input.empty()) {
    return;
  }
  std::mt19937 generator(static_cast<std::uint32_t>(input.size()));
  for (std::size_t i = 0; i < kChanges; ++i) {
    std::string changed = input;
    changed[generator() % changed.size()] = static_cast<char>(generator());
    run(changed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::fprintf(stderr, "%s\n", file.c_str());  // the last one named is the one that failed
    std::ifstream stream(file, std::ios::binary);
    replay(std::string(std::istreambuf_iterator<char>(stream), {}));
  }
  if (files.empty()) {
    std::fputs("the corpus is empty: this test tested nothing\n", stderr);
    return 1;
  }
  return 0;
}
