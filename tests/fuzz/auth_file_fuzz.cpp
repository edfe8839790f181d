// auth.json: what is accepted can be searched, changed and written, and reads the same again.

#include "base/assert.hpp"
#include "harness.hpp"
#include "registry/auth_file.hpp"

using sbx::registry::AuthFile;
using sbx::registry::AuthFormat;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sbx::fuzz::as_text(data, size);
  if (const auto old = AuthFile::parse(text, "input", AuthFormat::kDockercfg)) {
    (void)old->find("h.io", "n/r");
  }
  auto file = AuthFile::parse(text, "input", AuthFormat::kCurrent);
  if (!file) {
    return 0;
  }
  (void)file->find("h.io", "n/r");
  (void)file->find("docker.io", "");
  file->set("h.io/n", {"user", "pass:word", ""});
  const auto again = AuthFile::parse(file->serialise(), "again", AuthFormat::kCurrent);
  SBX_ASSERT(again && again->list() == file->list());
  const auto found = again->find("h.io", "n/r/t");
  SBX_ASSERT(!found || (*found && !(*found)->username.empty()) || again->list().size() > 1);
  SBX_ASSERT(file->remove("h.io/n"));
  return 0;
}
