#include "runtime/made_up_name.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>

namespace sbx::runtime {
namespace {

// Words of our own choice: nothing that could be taken amiss next to a name.
constexpr std::array kQualities{
    "able",   "amber",  "ample",  "apt",     "bold",    "brave",  "bright",  "brisk",   "calm",
    "candid", "clear",  "clever", "crisp",   "curious", "deft",   "eager",   "earnest", "fair",
    "fine",   "firm",   "fleet",  "fond",    "frank",   "gentle", "glad",    "golden",  "grand",
    "happy",  "hardy",  "honest", "humble",  "jolly",   "just",   "keen",    "kind",    "light",
    "lively", "loyal",  "lucid",  "lucky",   "mellow",  "merry",  "mild",    "modest",  "neat",
    "nimble", "noble",  "open",   "patient", "placid",  "polite", "proud",   "quick",   "quiet",
    "ready",  "serene", "sharp",  "silent",  "silver",  "simple", "sincere", "smart",   "snug",
    "sober",  "solid",  "sound",  "spry",    "steady",  "strong", "sturdy",  "sunny",   "sure",
    "swift",  "tender", "tidy",   "true",    "upbeat",  "vivid",  "warm",    "wary",    "willing",
    "wise",   "witty",  "zealous"};

// People who found something out; none of them is alive.
constexpr std::array kPeople{
    "agnesi",      "archimedes",  "aristotle",    "avicenna",     "babbage",   "bernoulli",
    "bohr",        "boltzmann",   "boole",        "brahe",        "cantor",    "carnot",
    "cauchy",      "cavendish",   "celsius",      "copernicus",   "curie",     "darwin",
    "descartes",   "dijkstra",    "dirac",        "einstein",     "erdos",     "euclid",
    "euler",       "faraday",     "fermat",       "fermi",        "feynman",   "fibonacci",
    "fourier",     "fresnel",     "galileo",      "galois",       "gauss",     "germain",
    "goedel",      "halley",      "hawking",      "helmholtz",    "hertz",     "hilbert",
    "hopper",      "hubble",      "huygens",      "hypatia",      "jacobi",    "joule",
    "kepler",      "khayyam",     "kirchhoff",    "kovalevskaya", "lagrange",  "laplace",
    "lavoisier",   "leibniz",     "linnaeus",     "lovelace",     "mach",      "maxwell",
    "meitner",     "mendel",      "mendeleev",    "mercator",     "napier",    "newton",
    "nightingale", "noether",     "ohm",          "pascal",       "pasteur",   "pauli",
    "planck",      "poincare",    "ptolemy",      "pythagoras",   "ramanujan", "riemann",
    "roentgen",    "rutherford",  "schroedinger", "shannon",      "snell",     "somerville",
    "tesla",       "thales",      "turing",       "venn",         "vesalius",  "volta",
    "watt",        "weierstrass", "yukawa",       "zeno"};

/// FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/. An id is random already, this only takes all of it.
std::uint64_t hash_of(std::string_view text, unsigned attempt) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3U; };
  add(static_cast<unsigned char>(attempt));
  for (const char c : text) {
    add(static_cast<unsigned char>(c));
  }
  return hash;
}

}  // namespace

std::string made_up_name(std::string_view id, unsigned attempt) {
  std::uint64_t draw = hash_of(id, attempt);
  const char* const quality = kQualities[draw % kQualities.size()];
  draw /= kQualities.size();
  const char* const person = kPeople[draw % kPeople.size()];
  draw /= kPeople.size();
  return attempt == 0 ? fmt::format("{}_{}", quality, person)
                      : fmt::format("{}_{}{}", quality, person, draw % 10);
}

}  // namespace sbx::runtime
