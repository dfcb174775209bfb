import { defineConfig } from 'vite'

export default defineConfig({
  // The gateway serves the page there, whatever proxy is in front of it.
  base: '/dashboard/',
  build: {
    target: 'es2023',
    // One script and one style sheet: nothing is loaded ahead of time that a polyfill could help with.
    modulePreload: false,
    // The page's policy allows no inline scripts or styles, and files that can be cached are better.
    assetsInlineLimit: 0,
  },
})
