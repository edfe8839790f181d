#pragma once

#include <slirp/libslirp.h>

#include "base/result.hpp"

namespace sbx::net {

/// libslirp, loaded when the network process needs it. Linked, it (and the glib below it) would cost every start of the
/// program 0.5 ms, and every process of a sandbox its pages, though one of four uses it: see README.md.
struct SlirpLibrary {
  decltype(&slirp_new) make = nullptr;
  decltype(&slirp_cleanup) cleanup = nullptr;
  decltype(&slirp_pollfds_fill) pollfds_fill = nullptr;
  decltype(&slirp_pollfds_poll) pollfds_poll = nullptr;
  decltype(&slirp_input) input = nullptr;
  decltype(&slirp_version_string) version_string = nullptr;

  /// The same at every call; lives as long as the process. kNotFound if it is not installed, kUnsupported if a function
  /// is missing in it.
  static Result<const SlirpLibrary*> load();
};

}  // namespace sbx::net
