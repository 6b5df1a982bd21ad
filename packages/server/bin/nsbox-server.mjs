#!/usr/bin/env node
import '../dist/bin/nsbox-server.js'
