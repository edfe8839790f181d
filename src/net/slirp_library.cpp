#include "net/slirp_library.hpp"

#include <dlfcn.h>

namespace sbx::net {
namespace {

constexpr const char* kName = "libslirp.so.0";  // its interface since 4.0

Result<SlirpLibrary> open_library() {
  void* handle = ::dlopen(kName, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    return fail(
        Error::make(ErrorCode::kNotFound, "load", kName, why == nullptr ? "" : why)
            .with_hint("install libslirp (Debian: libslirp0), or use --net none or --net host"));
  }
  SlirpLibrary library;
  bool complete = true;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(handle, name));
    complete = complete && function != nullptr;
  };
  find(library.make, "slirp_new");
  find(library.cleanup, "slirp_cleanup");
  find(library.pollfds_fill, "slirp_pollfds_fill");
  find(library.pollfds_poll, "slirp_pollfds_poll");
  find(library.input, "slirp_input");
  find(library.version_string, "slirp_version_string");
  if (!complete) {
    return fail(Error::make(ErrorCode::kUnsupported, "use", kName, "a function is missing in it"));
  }
  return library;
}

}  // namespace

Result<const SlirpLibrary*> SlirpLibrary::load() {
  // Never unloaded: libslirp keeps state of its own for the whole process.
  static const Result<SlirpLibrary> kLibrary = open_library();
  if (!kLibrary) {
    return fail(kLibrary.error());
  }
  return &*kLibrary;
}

}  // namespace sbx::net
