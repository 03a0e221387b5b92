#include "association.h"
