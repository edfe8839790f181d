// sbx-transfer: what reads images from outside. Apart from sbx, because it links libcrypto and the decompressors
// (start-up time), because it has threads (sbx clones), and because it parses hostile bytes and so
// confines itself. Prints one JSON object on standard output; see README.md.

#include <unistd.h>

#include <cstdio>
#include <span>

#include "base/error_json.hpp"
#include "sys/parent.hpp"
#include "transfer/verbs.hpp"

namespace {

constexpr int kFailed = 125;  // as docker: the engine failed, not the command

void print(const sbx::Json& line) {
  (void)std::puts(sbx::dump_json(line).c_str());
  (void)std::fflush(stdout);  // a reader that is gone shall not keep us from our exit code
}

}  // namespace

int main(int argc, char** argv) {
  // Of a transfer that nobody waits for any more, nobody would know; the next one goes on where it stopped.
  sbx::sys::die_with_parent(STDOUT_FILENO);
  const std::span words(argv, static_cast<std::size_t>(argc));
  const sbx::Result<sbx::Json> answer =
      sbx::transfer::run_verb(words.subspan(words.empty() ? 0 : 1));
  if (!answer) {
    print({{"error", sbx::error_to_json(answer.error())}});
    return kFailed;
  }
  print(*answer);
  return 0;
}
