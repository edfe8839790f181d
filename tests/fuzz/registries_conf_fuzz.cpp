// registries.conf: what is accepted resolves names and finds endpoints without a crash, whatever it says.

#include "base/assert.hpp"
#include "harness.hpp"
#include "registry/registries_conf.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = sbx::registry::RegistriesFile::parse(sbx::fuzz::as_text(data, size), "input");
  if (!file) {
    return 0;
  }
  const auto conf = sbx::registry::RegistriesConf::of({*file});
  for (const char* name : {"busybox", "a/b:1", "localhost:5000/x", "a.example.com/n/x:1",
                           "example.com/foo/x@sha256:"
                           "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}) {
    const auto names = conf.resolve(name);
    SBX_ASSERT(!names || !names->empty());
    if (!names) {
      continue;
    }
    for (const auto& reference : *names) {
      for (const bool push : {false, true}) {
        const auto endpoints = conf.endpoints(reference, push);
        SBX_ASSERT(!endpoints || (!endpoints->empty() && !endpoints->back().mirror));
      }
    }
  }
  return 0;
}
